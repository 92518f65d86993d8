/** The steps from a map of probabilities to text, where the pages of `pages.test.ts` would not show a fault. */
import * as fc from 'fast-check';
import { textBoxes } from '../../../examples/ocr/detection/boxes';
import { detectionSize } from '../../../examples/ocr/detection/detection-input';
import { corners, smallestRectangle, type Rectangle } from '../../../examples/ocr/detection/rectangle';
import { lineBatches } from '../../../examples/ocr/recognition/lines';
import { readLines } from '../../../examples/ocr/recognition/read-lines';
import { readingOrder } from '../../../examples/ocr/recognition/reading-order';

const degrees = (angle: number) => (angle * Math.PI) / 180;

function box(x: number, y: number, width = 100, height = 20, angle = 0): Rectangle {
  return { center: { x, y }, width, height, angle };
}

test.each([
  [640, 480, 640, 480],
  [4000, 3000, 960, 736],
  [10, 2000, 32, 960],
  [1, 1, 32, 32],
])(
  'the detection model sees a photo of %i x %i pixels as %i x %i',
  (width, height, seenWidth, seenHeight) => {
    const size = detectionSize({ width, height, rgb: new Uint8Array(0) });
    expect(size).toEqual({ width: seenWidth, height: seenHeight });
  },
);

describe('the smallest rectangle around points', () => {
  test('is the rectangle whose corners they are', () => {
    const place = fc.integer({ min: 0, max: 500 });
    const width = fc.integer({ min: 40, max: 400 });
    const height = fc.integer({ min: 5, max: 30 });
    const angle = fc.integer({ min: -44, max: 44 });
    fc.assert(
      fc.property(place, place, width, height, angle, (x, y, ...sides) => {
        const rectangle = box(x, y, sides[0], sides[1], degrees(sides[2]));
        const found = smallestRectangle(corners(rectangle));
        for (const key of ['width', 'height', 'angle'] as const)
          expect(found[key]).toBeCloseTo(rectangle[key], 5);
        expect(found.center.x).toBeCloseTo(x, 5);
        expect(found.center.y).toBeCloseTo(y, 5);
      }),
    );
  });

  test('of a column is turned, so that text runs along it', () => {
    const { width, height, angle } = smallestRectangle(corners(box(50, 50, 10, 80)));
    expect([width, height].map(Math.round)).toEqual([80, 10]);
    expect(Math.abs(angle)).toBeCloseTo(degrees(90), 5);
  });

  test('of one point has no area', () => {
    expect(smallestRectangle([{ x: 3, y: 4 }])).toMatchObject({
      width: 0,
      height: 0,
      center: { x: 3, y: 4 },
    });
  });
});

describe('boxes of text', () => {
  type Filled = readonly [left: number, top: number, right: number, bottom: number, probability?: number];
  function boxesOf(width: number, height: number, ...filled: readonly Filled[]) {
    const values = new Float32Array(width * height);
    for (const [left, top, right, bottom, p = 0.9] of filled)
      for (let y = top; y < bottom; y++) values.fill(p, y * width + left, y * width + right);
    return textBoxes({ width, height, values }, { width: 2 * width, height: 2 * height });
  }

  test('are the areas of high probability, in pixels of the photo, from top to bottom', () => {
    const boxes = boxesOf(100, 60, [10, 40, 90, 50], [10, 10, 50, 20]);
    const centers = boxes.map(({ center: { x, y } }) => [x, y]);
    expect(centers).toEqual([
      [59.5, 29.5],
      [99.5, 89.5],
    ]);
    expect(boxes[0].score).toBeCloseTo(0.9, 5);
  });

  test('leave out what is improbable or tiny', () => {
    expect(boxesOf(100, 60, [10, 10, 50, 20, 0.5], [60, 10, 63, 12], [0, 40, 100, 42, 0.2])).toEqual([]);
  });

  test('are at most 128', () => {
    const squares = Array.from({ length: 400 }, (_, index): Filled => {
      const [left, top] = [(index % 20) * 6, Math.floor(index / 20) * 6];
      return [left, top, left + 5, top + 5];
    });
    expect(boxesOf(120, 120, ...squares)).toHaveLength(128);
  });
});

test('lines of similar width share a batch, eight at most', () => {
  const picture = { width: 100, height: 100, rgb: new Uint8Array(30_000) };
  const boxes = Array.from({ length: 11 }, (_, index) => box(50, 50, 400 - 20 * index));
  expect(lineBatches(picture, boxes).map(({ lines, shape }) => [lines, shape])).toEqual([
    [
      [10, 9, 8, 7, 6, 5, 4, 3],
      [8, 3, 48, 593],
    ],
    [
      [2, 1, 0],
      [3, 3, 48, 696],
    ],
  ]);
  expect(lineBatches(picture, [])).toEqual([]);
});

describe('readLines', () => {
  const letters = ['', 'a', 'b', ' '];

  /** Each step has one class with a probability of a half, given by its index in `letters`. */
  function read(lines: readonly (readonly number[])[], alphabet = letters) {
    const [{ length }] = lines;
    const data = new Float32Array(lines.length * length * letters.length);
    lines.flat().forEach((winner, step) => (data[step * letters.length + winner] = 0.5));
    return readLines({ shape: [lines.length, length, letters.length], data }, alphabet);
  }

  test.each([
    [[1, 1, 2, 2], 'ab', 0.5],
    [[1, 0, 1], 'aa', 0.5],
    [[0, 0], '', 0],
    [[3, 1, 3, 2, 3], 'a b', 0.5],
  ])('merges repetitions and drops blanks: %j', (classes, text, confidence) => {
    expect(read([classes])).toEqual([{ text, confidence }]);
  });

  test('reads each line of a batch', () => {
    const lines = [
      [1, 0],
      [2, 3],
    ];
    expect(read(lines).map(({ text }) => text)).toEqual(['a', 'b']);
  });

  test('refuses the alphabet of another model', () => {
    expect(() => read([[1]], ['', 'a'])).toThrow('the model must know 2 characters, got 4');
  });
});

describe('the reading order', () => {
  test('goes from top to bottom, and in a row from left to right', () => {
    expect(readingOrder([box(300, 52), box(100, 100), box(100, 48), box(100, 10)])).toEqual([3, 2, 0, 1]);
  });

  test('follows a row of a tilted page', () => {
    const tilted = (x: number, y: number) => box(x, y - Math.tan(0.07) * x, 100, 20, -0.07);
    // The right end of the lower row is as high as the left end of the upper row.
    const rows = [tilted(400, 128), tilted(0, 100), tilted(400, 100), tilted(0, 128)];
    expect(readingOrder(rows)).toEqual([1, 2, 3, 0]);
  });
});
