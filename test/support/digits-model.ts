/**
 * The model of the examples: it recognizes a digit in a drawing of seven lines of five pixels. Its weights are the digits of a font, so it needs no training: each
 * score falls with the distance between drawing and digit.
 */
import { encodeModel, FLOAT, floats, node, value } from './model-builder';

/** The font, a digit after the other. */
export const DIGITS = [
  ['.###.', '#...#', '#..##', '#.#.#', '##..#', '#...#', '.###.'],
  ['..#..', '.##..', '..#..', '..#..', '..#..', '..#..', '.###.'],
  ['.###.', '#...#', '....#', '...#.', '..#..', '.#...', '#####'],
  ['#####', '...#.', '..#..', '...#.', '....#', '#...#', '.###.'],
  ['...#.', '..##.', '.#.#.', '#..#.', '#####', '...#.', '...#.'],
  ['#####', '#....', '####.', '....#', '....#', '#...#', '.###.'],
  ['..##.', '.#...', '#....', '####.', '#...#', '#...#', '.###.'],
  ['#####', '....#', '...#.', '..#..', '.#...', '.#...', '.#...'],
  ['.###.', '#...#', '#...#', '.###.', '#...#', '#...#', '.###.'],
  ['.###.', '#...#', '#...#', '.####', '....#', '...#.', '.##..'],
] as const;

/** 1 for `#`, 0 for `.`; other characters, such as ends of lines, do not count. */
export function pixelsOf(drawing: string): number[] {
  return Array.from(drawing.matchAll(/[#.]/g), ([pixel]) => Number(pixel === '#'));
}

/** `pixels` float32 [batch, 35] to `probabilities` float32 [batch, 10]. */
export function digitsModel(): Uint8Array {
  const font = DIGITS.map((lines) => pixelsOf(lines.join('')));
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
