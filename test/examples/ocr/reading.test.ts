/** The steps from a map of probabilities to text, where the pages of `pages.test.ts` would not show a fault. */
import * as fc from 'fast-check';
import { textBoxes } from '../../../examples/ocr/detection/boxes';
import { corners, smallestRectangle, type Rectangle } from '../../../examples/ocr/detection/rectangle';
import { readLines } from '../../../examples/ocr/recognition/read-lines';
import { readingOrder } from '../../../examples/ocr/recognition/reading-order';

function box(x: number, y: number, width = 100, height = 20, angle = 0): Rectangle {
  return { center: { x, y }, width, height, angle };
}

test('the smallest rectangle around its corners is the rectangle', () => {
  const place = fc.integer({ min: 0, max: 500 });
  const width = fc.integer({ min: 40, max: 400 });
  const height = fc.integer({ min: 5, max: 30 });
  const angle = fc.integer({ min: -44, max: 44 }).map((degrees) => (degrees * Math.PI) / 180);
  fc.assert(
    fc.property(place, place, width, height, angle, (...sides) => {
      const rectangle = box(...sides);
      const found = smallestRectangle(corners(rectangle));
      for (const key of ['width', 'height', 'angle'] as const)
        expect(found[key]).toBeCloseTo(rectangle[key], 5);
      expect(found.center.x).toBeCloseTo(rectangle.center.x, 5);
      expect(found.center.y).toBeCloseTo(rectangle.center.y, 5);
    }),
  );
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
    // Improbable or tiny.
    const none: Filled[] = [
      [10, 10, 50, 20, 0.5],
      [60, 10, 63, 12],
      [0, 40, 100, 42, 0.2],
    ];
    expect(boxesOf(100, 60, ...none)).toEqual([]);
    const boxes = boxesOf(100, 60, [10, 40, 90, 50], [10, 10, 50, 20]);
    const centers = boxes.map(({ center: { x, y } }) => [x, y]);
    expect(centers).toEqual([
      [59.5, 29.5],
      [99.5, 89.5],
    ]);
    expect(boxes[0].score).toBeCloseTo(0.9, 5);
  });

  test('are at most 128', () => {
    const squares = Array.from({ length: 400 }, (_, index): Filled => {
      const [left, top] = [(index % 20) * 6, Math.floor(index / 20) * 6];
      return [left, top, left + 5, top + 5];
    });
    expect(boxesOf(120, 120, ...squares)).toHaveLength(128);
  });
});

test.each([
  [[1, 1, 2, 2], 'ab', 0.5],
  [[1, 0, 1], 'aa', 0.5],
  [[0, 0], '', 0],
  [[3, 1, 3, 2, 3], 'a b', 0.5],
])('text has no repetitions and blanks: %j', (classes, text, confidence) => {
  const letters = ['', 'a', 'b', ' '];
  const data = new Float32Array(classes.length * letters.length);
  classes.forEach((winner, step) => (data[step * letters.length + winner] = 0.5));
  const shape = [1, classes.length, letters.length];
  expect(readLines({ shape, data }, letters)).toEqual([{ text, confidence }]);
});

test('the reading order follows a row of a tilted page', () => {
  const tilted = (x: number, y: number) => box(x, y - Math.tan(0.07) * x, 100, 20, -0.07);
  // The right end of the lower row is as high as the left end of the upper row.
  const rows = [tilted(400, 128), tilted(0, 100), tilted(400, 100), tilted(0, 128)];
  expect(readingOrder(rows)).toEqual([1, 2, 3, 0]);
});
