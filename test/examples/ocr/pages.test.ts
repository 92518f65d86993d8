/**
 * Reads rendered pages, and the demo's receipt, with the unsliced models. The pages are stored as pictures, because fonts differ between
 * machines: DejaVu, Liberation, FreeFont and Noto in sizes of 20 to 44 pixels, turned by up to 5 degrees.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { textBoxes } from '../../../examples/ocr/detection/boxes';
import { detectionInput } from '../../../examples/ocr/detection/detection-input';
import { DETECTION_MODEL, KEYS_FILE, RECOGNITION_MODEL } from '../../../examples/ocr/models';
import { decodePicture } from '../../../examples/ocr/picture/decode';
import { lineBatches } from '../../../examples/ocr/recognition/lines';
import { readAlphabet, readLines } from '../../../examples/ocr/recognition/read-lines';
import { readingOrder } from '../../../examples/ocr/recognition/reading-order';
import { runUnsliced } from '../../../examples/ocr/unsliced';

const RECEIPT = '../../../examples/ocr/receipt.jpg';

async function linesOf(file: string): Promise<string[]> {
  const picture = decodePicture(fs.readFileSync(path.join(__dirname, file)));
  const map = await runUnsliced(DETECTION_MODEL, 1, detectionInput(picture));
  const [, , height, width] = map.shape;
  const boxes = textBoxes({ width, height, values: map.data }, picture);
  const texts: string[] = [];
  for (const { lines, ...x } of lineBatches(picture, boxes)) {
    const read = readLines(await runUnsliced(RECOGNITION_MODEL, 1, x), readAlphabet(KEYS_FILE));
    lines.forEach((line, index) => (texts[line] = read[index].text));
  }
  return readingOrder(boxes).map((index) => texts[index]);
}

test.each([
  ['pages/sentence.png', ['The quick brown fox jumps over the lazy dog']],
  ['pages/invoice.jpg', ['Invoice number 20441 of 3 May', 'Please pay within 30 days']],
  ['pages/meeting.png', ['Meeting at half past nine', 'Bring the signed contract', 'and two copies of it']],
  ['pages/serif-2-degrees.jpg', ['We hold these truths to be plain', 'and write them down for all']],
  ['pages/mono-3-degrees.png', ['total 48 files in 6 folders', 'copied in 12 seconds']],
  ['pages/platform.jpg', ['Platform 4 to Zurich at 10 02', 'Change trains in Basel']],
  ['pages/serif-5-degrees.png', ['It was a bright cold day in April', 'and the clocks were striking']],
  [
    'pages/small-print.jpg',
    ['Store in a cool and dry place', 'Best before end of June 2027', 'Made in Portugal'],
  ],
  ['pages/sign-4-degrees.png', ['No parking on Sundays', 'from 8 to 18']],
  ['pages/bold.jpg', ['Terms and conditions apply', 'See the back of this card']],
  [
    RECEIPT,
    [
      'CORNER CAFE',
      'Almond croissant 3.10',
      'Sparkling water 1.90',
      'Glass of milk 2.40',
      'Total amount 7.40',
      'Thank you for your visit',
    ],
  ],
])('each character and each space of %s is read', async (file, lines) => {
  expect(await linesOf(file)).toEqual(lines);
});
