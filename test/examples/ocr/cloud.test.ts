/** A photo goes in, over HTTP, through the client or through S3, and its text comes out. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { App } from 'aws-cdk-lib';
import { OcrStack } from '../../../examples/ocr/app';
import type { PhotoText } from '../../../examples/ocr/functions/read-text';
import { postSigned } from '../../../examples/ocr/signed-request';
import { parseFailureCause } from '../../../client';
import { variables } from '../../../bin/local-cloud/variables';
import { LocalCloud } from '../../../local';
import { clientOf } from '../../support/client-of-cloud';
import { CopiedExample } from '../../support/copied-example';
import { temporaryFolder } from '../../support/model-builder';
import { cli } from '../../support/run-cli';
import { shareZips } from '../../support/share-zips';

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
  cloud = await LocalCloud.start(shareZips(app.synth().directory), { pipeline: 'ReadPhoto' });
});
afterAll(() => cloud.close());

async function post(body: unknown): Promise<Record<string, string>> {
  const { httpEndpoint = '', s3 } = cloud;
  const signing = { ...s3, ca: s3.certificateAuthority?.pem ?? '' };
  return (await postSigned(`${httpEndpoint}/read`, body, signing)) as Record<string, string>;
}

const textsOf = ({ lines }: PhotoText): string[] => lines.map(({ text }) => text);

describe('a photo of a receipt', () => {
  test('comes back as its lines from the HTTP API', async () => {
    const { status, output } = await post({ photo: PHOTO.toString('base64') });
    expect(status).toBe('SUCCEEDED');
    const text = JSON.parse(output) as PhotoText;
    expect(textsOf(text)).toEqual(TEXTS);
    for (const { confidence, box } of text.lines) {
      expect(confidence).toBeGreaterThan(0.9);
      expect(box).toHaveLength(4);
    }
    // The receipt is turned by four degrees: the right end of a line is higher than its left end.
    const [[left, top], [right, rightTop]] = text.lines[1].box;
    expect((Math.atan2(top - rightTop, right - left) * 180) / Math.PI).toBeCloseTo(4, 0);
    // The caller may not read objects, and learns no names of them.
    for (const { bucket } of cloud.pipelines) expect(output).not.toContain(bucket);
    expect(output).not.toContain('outputs/');
    expect(text.runs.detection.timings).toHaveLength(2);
    expect(text.runs.recognition.map(({ timings }) => timings.length)).toEqual([4]);
  });

  test('comes back as its lines from `invoke` of the client', async () => {
    const model = clientOf(cloud, { stateMachineArn: cloud.stateMachine.stateMachineArn });
    const { output } = await model.invoke({ photo: PHOTO.toString('base64') });
    expect(textsOf(output as PhotoText)).toEqual(TEXTS);
  });

  test('comes back as its lines from the commands of the README', async () => {
    const example = new CopiedExample('ocr');
    const commands = fs.readFileSync(path.join(example.folder, 'README.md'), 'utf8').split('\n');
    const starting = (start: string) => commands.find((line) => line.startsWith(start)) ?? '';
    await example.shell(starting('printf'), process.env);
    const request = path.join(example.folder, 'request.json');
    const { stateMachineArn } = cloud.stateMachine;
    const { code, stdout, stderr } = await cli(['invoke', '--input-json', request, '--json'], {
      env: { ...variables(cloud, process.env), STATE_MACHINE_ARN: stateMachineArn },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    fs.writeFileSync(path.join(example.folder, 'output.json'), stdout);
    const print = starting('$ node -p').slice('$ '.length);
    const printed = await example.shell(print, process.env);
    expect(printed).toEqual({ code: 0, stdout: `${TEXTS.join('\n')}\n`, stderr: '' });
    expect(example.printed(print)).toBe(printed.stdout);
  });

  test('may lie in S3', async () => {
    const key = 'inputs/photos/receipt.jpg';
    await put(key, PHOTO);
    const { output } = await post({ s3: key });
    expect(textsOf(JSON.parse(output) as PhotoText)).toEqual(TEXTS);
  });
});

test('a photo without text has no lines', async () => {
  // 1 x 1 pixel.
  const white =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==';
  const { output } = await post({ photo: white });
  expect(JSON.parse(output)).toMatchObject({ lines: [], runs: { recognition: [] } });
});

test.each([
  [
    'is no photo',
    { photo: Buffer.from('hello').toString('base64') },
    /must be a JPEG or a PNG, got 5 other bytes/,
  ],
  ['is no base64', { photo: 'ä' }, /must be base64, got other characters/],
  ['is missing', {}, /must be \{ "photo": "<base64>" \} or \{ "s3"/],
  ['lies elsewhere', { s3: 'outputs/x' }, /must be below inputs\/photos\/, got another one/],
  [
    'is too large for a request',
    { photo: 'A'.repeat(240 * 1024 + 4) },
    /put it into S3 below inputs\/photos\//,
  ],
])('a photo that %s fails with one clear message', async (_, request, message) => {
  const { status, error, cause } = await post(request);
  expect([status, error]).toEqual(['FAILED', 'InvalidPhoto']);
  expect(parseFailureCause(cause).message).toMatch(message);
});

test('a request without a signature is refused', async () => {
  const { httpEndpoint = '', s3 } = cloud;
  const signing = {
    region: s3.region,
    credentials: { ...s3.credentials, secretAccessKey: 'wrong' },
    ca: s3.certificateAuthority?.pem ?? '',
  };
  await expect(postSigned(`${httpEndpoint}/read`, {}, signing)).rejects.toThrow(
    /^the HTTP API must answer 200, got 403/,
  );
});

async function put(key: string, body: Uint8Array): Promise<void> {
  const client = new S3Client(cloud.s3);
  const [{ bucket }] = cloud.pipelines;
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  client.destroy();
}
