/** Cuts lines out of a photo, decodes the model's output and sorts lines. */
import { KEYS_FILE } from '../../../examples/ocr/models';
import type { Rectangle } from '../../../examples/ocr/detection/rectangle';
import type { Picture } from '../../../examples/ocr/picture/picture';
import { readAlphabet } from '../../../examples/ocr/recognition/alphabet';
import { lineBatches } from '../../../examples/ocr/recognition/lines';
import { readingOrder } from '../../../examples/ocr/recognition/reading-order';
import { readLines } from '../../../examples/ocr/recognition/read-lines';

const box = (x: number, y: number, width = 100, height = 20, angle = 0): Rectangle => ({
  center: { x, y },
  width,
  height,
  angle,
});

function plain(width: number, height: number, [red, green, blue]: readonly number[]): Picture {
  return {
    width,
    height,
    rgb: new Uint8Array(width * height * 3).map((_, at) => [red, green, blue][at % 3]),
  };
}

describe('lines of a photo', () => {
  test('are blue, green and red planes of values from -1 to 1, padded with zeros', () => {
    const [{ lines, shape, data }] = lineBatches(plain(200, 100, [255, 0, 128]), [box(100, 50)]);
    expect([lines, shape]).toEqual([[0], [1, 3, 48, 320]]);
    const plane = 48 * 320;
    const [blue, green, red] = [0, 1, 2].map((channel) => data[channel * plane]);
    expect([red, green, blue]).toEqual([1, -1, Math.fround((128 / 255 - 0.5) / 0.5)]);
    // 100 x 20 with its margin is 106 x 28, and becomes 182 x 48.
    expect([data[181], data[182]]).toEqual([blue, 0]);
  });

  test('are level even if the box is not', () => {
    const { width, height, rgb } = plain(200, 200, [0, 0, 0]);
    const angle = Math.PI / 6;
    for (let along = -60; along <= 60; along += 0.25) {
      for (const across of [-0.5, 0, 0.5]) {
        const x = Math.round(100 + along * Math.cos(angle) - across * Math.sin(angle));
        const y = Math.round(100 + along * Math.sin(angle) + across * Math.cos(angle));
        rgb.fill(255, (y * width + x) * 3, (y * width + x) * 3 + 3);
      }
    }
    const [{ data }] = lineBatches({ width, height, rgb }, [box(100, 100, 120, 24, angle)]);
    const mean = (row: number) =>
      data.subarray(row * 320, row * 320 + 182).reduce((sum, v) => sum + v, 0) / 182;
    expect(mean(24)).toBeGreaterThan(0.3);
    expect([mean(4), mean(44)]).toEqual([-1, -1]);
  });

  test('share a batch with lines of similar width, eight at most', () => {
    const boxes = Array.from({ length: 11 }, (_, index) => box(50, 50, 400 - 20 * index));
    const batches = lineBatches(plain(100, 100, [0, 0, 0]), boxes);
    expect(batches.map(({ lines }) => lines)).toEqual([
      [10, 9, 8, 7, 6, 5, 4, 3],
      [2, 1, 0],
    ]);
    expect(batches.map(({ shape }) => shape)).toEqual([
      [8, 3, 48, 593],
      [3, 3, 48, 696],
    ]);
  });

  test('without boxes need no batch', () => {
    expect(lineBatches(plain(1, 1, [0, 0, 0]), [])).toEqual([]);
  });
});

describe('readLines', () => {
  const letters = ['', 'a', 'b', ' '];

  /** A tensor in which each step has one class of this probability, given by its index in `letters`. */
  function steps(lines: readonly (readonly number[])[], probability = 1) {
    const [{ length }] = lines;
    const data = new Float32Array(lines.length * length * letters.length);
    lines.flat().forEach((winner, step) => (data[step * letters.length + winner] = probability));
    return { shape: [lines.length, length, letters.length], data };
  }

  test.each([
    [[1, 1, 2, 2], 'ab'],
    [[1, 0, 1], 'aa'],
    [[0, 0], ''],
    [[3, 1, 3, 2, 3], 'a b'],
  ])('merges repetitions and drops blanks: %j', (classes, text) => {
    expect(readLines(steps([classes]), letters).map((line) => line.text)).toEqual([text]);
  });

  test('reads each line of a batch', () => {
    const lines = readLines(
      steps([
        [1, 0],
        [2, 3],
      ]),
      letters,
    );
    expect(lines.map(({ text }) => text)).toEqual(['a', 'b']);
  });

  test('returns the mean probability of the characters', () => {
    const confidences = readLines(steps([[1, 2]], 0.5), letters).map(({ confidence }) => confidence);
    expect(confidences).toEqual([0.5]);
    expect(readLines(steps([[0]]), letters)[0].confidence).toBe(0);
  });

  test('refuses the alphabet of another model', () => {
    expect(() => readLines(steps([[1]]), ['', 'a'])).toThrow(
      'the model must know 2 characters, got 4: use its own alphabet',
    );
  });
});

test('the alphabet has one entry per class of the model: a blank, the keys and a space', () => {
  const characters = readAlphabet(KEYS_FILE);
  expect(characters).toHaveLength(6625);
  expect([characters[0], characters.at(-1)]).toEqual(['', ' ']);
});

describe('the reading order', () => {
  test('goes from top to bottom, and in a row from left to right', () => {
    expect(readingOrder([box(300, 52), box(100, 100), box(100, 48), box(100, 10)])).toEqual([3, 2, 0, 1]);
  });

  test('follows a row of a tilted page', () => {
    const slope = Math.tan(0.07);
    const tilted = (x: number, y: number) => box(x, y - slope * x, 100, 20, -0.07);
    // The right end of the lower row is as high as the left end of the upper row.
    expect(readingOrder([tilted(400, 128), tilted(0, 100), tilted(400, 100), tilted(0, 128)])).toEqual([
      1, 2, 3, 0,
    ]);
  });
});
