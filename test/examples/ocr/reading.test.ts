/** The steps from a map of probabilities to lines, where the receipt of the demo would not show a fault. */
import * as fc from 'fast-check';
import { textBoxes } from '../../../examples/ocr/detection/boxes';
import { corners, smallestRectangle, type Rectangle } from '../../../examples/ocr/detection/rectangle';
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

test('there are at most 128 boxes of text', () => {
  const values = new Float32Array(120 * 120);
  for (let left = 0; left < 120; left += 6)
    for (let y = 0; y < 120; y++) if (y % 6 < 5) values.fill(0.9, y * 120 + left, y * 120 + left + 5);
  expect(textBoxes({ width: 120, height: 120, values }, { width: 240, height: 240 })).toHaveLength(128);
});

test('the reading order follows a row of a tilted page', () => {
  const tilted = (x: number, y: number) => box(x, y - Math.tan(0.07) * x, 100, 20, -0.07);
  // The right end of the lower row is as high as the left end of the upper row.
  const rows = [tilted(400, 128), tilted(0, 100), tilted(400, 100), tilted(0, 128)];
  expect(readingOrder(rows)).toEqual([1, 2, 3, 0]);
});
