/** Pictures of single lines go into the batch, and its table has their text. */
import * as path from 'node:path';
import { App } from 'aws-cdk-lib';
import { LinesStack } from '../../../examples/ocr/lines-app';
import { linePictures } from '../../../examples/ocr/line-pictures';
import { KEYS_FILE, RECOGNITION_MODEL } from '../../../examples/ocr/models';
import { decodePicture } from '../../../examples/ocr/picture/decode';
import { lineInput } from '../../../examples/ocr/recognition/lines';
import { readAlphabet, readLines } from '../../../examples/ocr/recognition/read-lines';
import { runUnsliced } from '../../../examples/ocr/unsliced';
import { LocalCloud } from '../../../local';
import { runBatch } from '../../support/deployed-batch';
import { temporaryFolder } from '../../support/model-builder';
import { shareZips } from '../../support/share-zips';

const RECEIPT = path.join(__dirname, '../../../examples/ocr/receipt.jpg');

test('the table has the text of the whole model for each picture, and a failure for what is none', async () => {
  const app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
  new LinesStack(app, 'SlicedLines');
  const cloud = await LocalCloud.start(shareZips(app.synth().directory), { pipeline: 'Lines' });
  try {
    const pictures = await linePictures(RECEIPT);
    for (const [line, png] of pictures.entries()) await cloud.putObject(`inputs/lines/${line}.png`, png);
    await cloud.putObject('inputs/lines/notes.txt', Buffer.from('hello'));
    const { output, rows } = await runBatch(cloud, 'Lines');
    expect(output.items).toEqual({ total: 7, done: 6, skipped: 0, failed: 1 });
    const alphabet = readAlphabet(KEYS_FILE);
    const threads = Number(cloud.pipeline.signature.threads);
    for (const [line, png] of pictures.entries()) {
      const whole = await runUnsliced(RECOGNITION_MODEL, threads, lineInput(decodePicture(png)));
      const [{ text, confidence }] = readLines(whole, alphabet);
      expect(rows[line]).toMatchObject({
        item: `inputs/lines/${line}.png`,
        output: { text, confidence: Number(confidence.toFixed(4)) },
      });
    }
    const texts = rows.flatMap(({ output: read }) => (read as { text: string } | undefined)?.text ?? []);
    expect(texts.slice(0, 2)).toEqual(['CORNER CAFE', 'Almond croissant 3.10']);
    expect(rows[6]).toMatchObject({ item: 'inputs/lines/notes.txt', failure: { error: 'InvalidPhoto' } });
  } finally {
    await cloud.close();
  }
});
