/** Finds boxes of text in a map of probabilities. */
import * as fc from 'fast-check';
import { textBoxes } from '../../../examples/ocr/detection/boxes';
import { detectionInput, detectionSize } from '../../../examples/ocr/detection/detection-input';
import { corners, smallestRectangle, type Rectangle } from '../../../examples/ocr/detection/rectangle';

describe('the input of the detection model', () => {
  test.each([
    [640, 480, 640, 480],
    [4000, 3000, 960, 736],
    [10, 2000, 32, 960],
    [1, 1, 32, 32],
  ])('of a photo of %i x %i pixels has %i x %i', (width, height, expectedWidth, expectedHeight) => {
    expect(detectionSize({ width, height, rgb: new Uint8Array(0) })).toEqual({
      width: expectedWidth,
      height: expectedHeight,
    });
  });

  test('has blue, green and red planes, normalized', () => {
    const rgb = new Uint8Array(32 * 32 * 3).map((_, index) => [255, 0, 128][index % 3]);
    const { shape, data } = detectionInput({ width: 32, height: 32, rgb });
    expect(shape).toEqual([1, 3, 32, 32]);
    const [blue, green, red] = [0, 1, 2].map((channel) => data[channel * 1024]);
    expect(blue).toBeCloseTo((128 / 255 - 0.485) / 0.229, 5);
    expect(green).toBeCloseTo((0 - 0.456) / 0.224, 5);
    expect(red).toBeCloseTo((1 - 0.406) / 0.225, 5);
  });
});

const degrees = (angle: number) => (angle * Math.PI) / 180;

describe('the smallest rectangle around points', () => {
  test('is the rectangle whose corners they are', () => {
    const sides = fc.record({
      center: fc.record({ x: fc.integer({ min: 0, max: 500 }), y: fc.integer({ min: 0, max: 500 }) }),
      width: fc.integer({ min: 40, max: 400 }),
      height: fc.integer({ min: 5, max: 30 }),
      angle: fc.integer({ min: -44, max: 44 }).map(degrees),
    });
    fc.assert(
      fc.property(sides, (rectangle) => {
        const found = smallestRectangle(corners(rectangle));
        expect(found.width).toBeCloseTo(rectangle.width, 5);
        expect(found.height).toBeCloseTo(rectangle.height, 5);
        expect(found.angle).toBeCloseTo(rectangle.angle, 5);
        expect(found.center.x).toBeCloseTo(rectangle.center.x, 5);
      }),
    );
  });

  test('of a column is turned, so that text runs along it', () => {
    const column: Rectangle = { center: { x: 50, y: 50 }, width: 10, height: 80, angle: 0 };
    const { width, height, angle } = smallestRectangle(corners(column));
    expect([width, height].map(Math.round)).toEqual([80, 10]);
    expect(Math.abs(angle)).toBeCloseTo(degrees(90), 5);
  });

  test('of one point has no area', () => {
    expect(smallestRectangle([{ x: 3, y: 4 }])).toMatchObject({
      center: { x: 3, y: 4 },
      width: 0,
      height: 0,
    });
  });
});

/** A map with filled rectangles of a probability. */
function mapOf(
  width: number,
  height: number,
  ...filled: [left: number, top: number, right: number, bottom: number, p?: number][]
) {
  const values = new Float32Array(width * height);
  for (const [left, top, right, bottom, p = 0.9] of filled) {
    for (let y = top; y < bottom; y++) values.fill(p, y * width + left, y * width + right);
  }
  return { width, height, values };
}

describe('boxes of text', () => {
  test('are the areas of high probability, grown and in pixels of the photo, from top to bottom', () => {
    const map = mapOf(100, 60, [10, 40, 90, 50], [10, 10, 50, 20]);
    const boxes = textBoxes(map, { width: 200, height: 120 });
    expect(boxes.map(({ center }) => [center.x, center.y])).toEqual([
      [59.5, 29.5],
      [99.5, 89.5],
    ]);
    // 39 x 9 between the centers of pixels, and 1.5 times area by circumference on each side, twice as large in the photo.
    const grown = (side: number) => 2 * (side + 2 * ((39 * 9 * 1.5) / (2 * (39 + 9))));
    expect(boxes[0].width).toBeCloseTo(grown(39), 4);
    expect(boxes[0].height).toBeCloseTo(grown(9), 4);
    expect(boxes[0].score).toBeCloseTo(0.9, 5);
  });

  test('leave out what is improbable or tiny', () => {
    const map = mapOf(100, 60, [10, 10, 50, 20, 0.5], [60, 10, 63, 12], [0, 40, 100, 42, 0.2]);
    expect(textBoxes(map, map)).toEqual([]);
  });

  test('are at most 128', () => {
    const squares = Array.from({ length: 400 }, (_, index): [number, number, number, number] => {
      const [left, top] = [(index % 20) * 6, Math.floor(index / 20) * 6];
      return [left, top, left + 5, top + 5];
    });
    expect(textBoxes(mapOf(120, 120, ...squares), { width: 120, height: 120 })).toHaveLength(128);
  });
});
