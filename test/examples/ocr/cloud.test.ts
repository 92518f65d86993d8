/** A photo goes in over HTTP, and its text comes out. `npm run check:examples` sends it by the commands, and from S3. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App } from 'aws-cdk-lib';
import { OcrStack } from '../../../examples/ocr/app';
import type { PhotoText } from '../../../examples/ocr/functions/read-text';
import { parseFailureCause } from '../../../client';
import type { LocalCloud } from '../../../local';
import { start } from '../../support/deployed-pipeline';
import { temporaryFolder } from '../../support/model-builder';
import { shareZips } from '../../support/share-zips';
import { request } from '../../support/signed-request';

const PHOTO = fs.readFileSync(path.join(__dirname, '../../../examples/ocr/receipt.jpg'));
const TEXTS = [
  'CORNER CAFE',
  'Almond croissant 3.10',
  'Sparkling water 1.90',
  'Glass of milk 2.40',
  'Total amount 7.40',
  'Thank you for your visit',
];

let cloud: LocalCloud;
beforeAll(async () => {
  const app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
  new OcrStack(app, 'SlicedOcr');
  cloud = await start(shareZips(app.synth().directory), { pipeline: 'ReadPhoto' });
});

async function post(body: unknown): Promise<Record<string, string>> {
  const { httpEndpoint = '', s3 } = cloud;
  const options = { body: JSON.stringify(body), signing: s3 };
  const answer = await request(`${httpEndpoint}/read`, s3.certificateAuthority.pem, options);
  expect(answer.status).toBe(200);
  return answer.body as Record<string, string>;
}

const textsOf = ({ lines }: PhotoText): string[] => lines.map(({ text }) => text);

test('a photo of a receipt comes back as its lines', async () => {
  const { status, output } = await post({ photo: PHOTO.toString('base64') });
  expect(status).toBe('SUCCEEDED');
  const text = JSON.parse(output) as PhotoText;
  expect(textsOf(text)).toEqual(TEXTS);
  for (const { confidence, box } of text.lines) expect([confidence > 0.9, box.length]).toEqual([true, 4]);
  // The caller may not read objects, and learns no names of them.
  for (const { bucket } of cloud.pipelines) expect(output).not.toContain(bucket);
  expect(output).not.toContain('outputs/');
  expect(text.runs.detection.timings).toHaveLength(2);
  expect(text.runs.recognition.map(({ timings }) => timings.length)).toEqual([4]);
});

test('a photo without text has no lines', async () => {
  // 1 x 1 pixel.
  const white =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==';
  const { output } = await post({ photo: white });
  expect(JSON.parse(output)).toMatchObject({ lines: [], runs: { recognition: [] } });
});

test('a photo that is none fails with one clear message', async () => {
  const { status, error, cause } = await post({ photo: Buffer.from('hello').toString('base64') });
  expect([status, error]).toEqual(['FAILED', 'InvalidPhoto']);
  expect(parseFailureCause(cause).message).toContain('must be a JPEG or a PNG, got 5 other bytes');
});
