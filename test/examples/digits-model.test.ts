/**
 * The model of the examples: it recognizes a digit in a drawing of seven lines of five pixels. Its weights are the digits of a font, so it
 * needs no training: each score falls with the distance between drawing and digit.
 *
 * To write its files again after a change: `WRITE_DIGITS=1 npx jest test/examples/digits-model`.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { encodeModel, FLOAT, floats, node, value } from '../support/model-builder';

const EXAMPLES = ['handlers', 'http', 'object-arrival', 'vpc-kms', 'workflow'];

/** The font, a digit after the other. */
const DIGITS = [
  '.###. #...# #..## #.#.# ##..# #...# .###.',
  '..#.. .##.. ..#.. ..#.. ..#.. ..#.. .###.',
  '.###. #...# ....# ...#. ..#.. .#... #####',
  '##### ...#. ..#.. ...#. ....# #...# .###.',
  '...#. ..##. .#.#. #..#. ##### ...#. ...#.',
  '##### #.... ####. ....# ....# #...# .###.',
  '..##. .#... #.... ####. #...# #...# .###.',
  '##### ....# ...#. ..#.. .#... .#... .#...',
  '.###. #...# #...# .###. #...# #...# .###.',
  '.###. #...# #...# .#### ....# ...#. .##..',
];

/** `pixels` float32 [batch, 35] to `probabilities` float32 [batch, 10]. */
function digitsModel(): Uint8Array {
  const font = DIGITS.map((drawing) =>
    Array.from(drawing.matchAll(/[#.]/g), ([pixel]) => Number(pixel === '#')),
  );
  const pixels = font[0].length;
  // -|x - d|² without the term that all digits share: 2 x·d - |d|².
  const weights = Array.from({ length: pixels }, (_, pixel) => font.map((digit) => 2 * digit[pixel])).flat();
  const bias = font.map((digit) => -digit.reduce((sum, bit) => sum + bit, 0));
  return encodeModel({
    graph: {
      node: [
        node('MatMul', ['pixels', 'font'], ['overlap']),
        node('Add', ['overlap', 'ink'], ['scores']),
        node('Softmax', ['scores'], ['probabilities']),
      ],
      initializer: [floats('font', [pixels, font.length], weights), floats('ink', [font.length], bias)],
      input: [value('pixels', FLOAT, ['batch', pixels])],
      output: [value('probabilities', FLOAT, ['batch', font.length])],
    },
  });
}

it.each(EXAMPLES)('the model of the examples is in the folder of %s', (example) => {
  const file = path.join(__dirname, '../../examples', example, 'digits.onnx');
  if (process.env.WRITE_DIGITS !== undefined) fs.writeFileSync(file, digitsModel());
  expect(fs.readFileSync(file).equals(digitsModel())).toBe(true);
});
