/** Cuts lines out of a picture, and turns them into the inputs of the recognition model. */
import type { Rectangle } from '../detection/rectangle';
import { CHANNELS, type Picture } from '../picture/picture';
import { sampleSharp } from '../picture/sample';

/** Pixels: the model's own height. */
const HEIGHT = 48;
/** The model was trained on lines of this width. */
const MIN_WIDTH = 320;
/**
 * Shares of a box's height that a line is cut larger than its box, along and across the text. A box ends at the letters. Without a margin,
 * the model leaves out the spaces of printed text: 11 % of the characters of ten rendered pages were wrong. A wider margin
 * shows parts of the neighboring lines.
 */
const MARGIN = { along: 0.3, across: 0.4 };

/** A line of about 150 characters. */
const MAX_WIDTH = 2048;

/** Lines that one run of the model reads. Wider ones share a run with narrower ones, which are padded. */
export const BATCH_LINES = 8;

/** Lines of similar width. */
export interface LineBatch {
  /** Indexes of the boxes. */
  readonly lines: readonly number[];
  /** float32 [lines, 3, 48, width], channels blue, green, red, values from -1 to 1, padding 0. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export function lineBatches(picture: Picture, letters: readonly Rectangle[]): LineBatch[] {
  const boxes = letters.map(withMargin);
  const byWidth = boxes
    .map((_, index) => index)
    .sort((a, b) => widthOf(boxes[a]) - widthOf(boxes[b]) || a - b);
  const batches: LineBatch[] = [];
  for (let start = 0; start < byWidth.length; start += BATCH_LINES) {
    batches.push(lineBatch(picture, boxes, byWidth.slice(start, start + BATCH_LINES)));
  }
  return batches;
}

/** A picture of the line in the box, of the height that the model reads. */
export function linePicture(picture: Picture, letters: Rectangle): Picture {
  const box = withMargin(letters);
  const width = widthOf(box);
  const rgb = new Uint8Array(width * HEIGHT * CHANNELS);
  eachColor(picture, box, (color, row, column) => {
    rgb.set(color.map(Math.round), (row * width + column) * CHANNELS);
  });
  return { width, height: HEIGHT, rgb };
}

/** The input of the model for a picture of one line, with a margin around its letters. */
export function lineInput(line: Picture): Pick<LineBatch, 'shape' | 'data'> {
  const { width, height } = line;
  const center = { x: (width - 1) / 2, y: (height - 1) / 2 };
  const { shape, data } = lineBatch(line, [{ center, width, height, angle: 0 }], [0]);
  return { shape, data };
}

function withMargin({ center, width, height, angle }: Rectangle): Rectangle {
  return { center, width: width + MARGIN.along * height, height: height * (1 + MARGIN.across), angle };
}

/** Pixels of the line at the model's height. */
function widthOf({ width, height }: Rectangle): number {
  return Math.max(1, Math.min(MAX_WIDTH, Math.round((width * HEIGHT) / height)));
}

function lineBatch(picture: Picture, boxes: readonly Rectangle[], lines: readonly number[]): LineBatch {
  const width = Math.max(MIN_WIDTH, ...lines.map((line) => widthOf(boxes[line])));
  const plane = HEIGHT * width;
  const data = new Float32Array(lines.length * CHANNELS * plane);
  lines.forEach((line, index) => {
    writeLine(
      picture,
      boxes[line],
      data.subarray(index * CHANNELS * plane, (index + 1) * CHANNELS * plane),
      width,
    );
  });
  return { lines, shape: [lines.length, CHANNELS, HEIGHT, width], data };
}

function writeLine(picture: Picture, box: Rectangle, data: Float32Array, rowPixels: number): void {
  eachColor(picture, box, (color, row, column) => {
    for (let channel = 0; channel < CHANNELS; channel++) {
      const value = color[CHANNELS - 1 - channel] / 255;
      data[(channel * HEIGHT + row) * rowPixels + column] = (value - 0.5) / 0.5;
    }
  });
}

/** Reads the picture along the box, so that a line that is not level becomes level. */
function eachColor(
  picture: Picture,
  box: Rectangle,
  use: (color: readonly number[], row: number, column: number) => void,
): void {
  const { center, angle } = box;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const width = widthOf(box);
  for (let row = 0; row < HEIGHT; row++) {
    const across = ((row + 0.5) / HEIGHT - 0.5) * box.height;
    for (let column = 0; column < width; column++) {
      const along = ((column + 0.5) / width - 0.5) * box.width;
      const x = center.x + along * cos - across * sin;
      const y = center.y + along * sin + across * cos;
      use(sampleSharp(picture, x, y), row, column);
    }
  }
}
