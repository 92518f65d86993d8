/** Before the model: `{ "drawing": "..##. …" }` becomes its input. `#` is a dark pixel, `.` is a light one. */
import { preprocessHandler } from 'cdk-sliced-inference/client';

/** Lines and columns of a drawing. */
const [HEIGHT, WIDTH] = [7, 5];

const PIXELS = HEIGHT * WIDTH;

class InvalidDrawing extends Error {
  public override readonly name = 'InvalidDrawing';
}

export const handler = preprocessHandler((input) => {
  const { drawing } = input as { drawing?: unknown };
  if (typeof drawing !== 'string')
    throw new InvalidDrawing(`the request must be { "drawing": "<text>" }, got no text: correct it`);
  const pixels = Float32Array.from(drawing.match(/[#.]/g) ?? [], (pixel) => Number(pixel === '#'));
  if (pixels.length !== PIXELS)
    throw new InvalidDrawing(
      `the drawing must have ${HEIGHT} lines of ${WIDTH} pixels, got ${pixels.length} pixels: draw '#' or '.' for each of ${PIXELS}`,
    );
  return { pixels: { shape: [1, PIXELS], data: pixels } };
});
