/** Finds the boxes of lines of text in the detection model's map of probabilities, with PaddleOCR's constants. */
import { corners, smallestRectangle, type Point, type Rectangle } from './rectangle';

export interface TextBox extends Rectangle {
  /** Mean probability of text in the pixels of the box before it grew, from 0 to 1. */
  readonly score: number;
}

interface ProbabilityMap {
  readonly width: number;
  readonly height: number;
  /** Row by row, from 0 to 1. */
  readonly values: Float32Array;
}

/** A pixel above this is text. */
const PIXEL_THRESHOLD = 0.3;
/** A box needs this score. */
const BOX_THRESHOLD = 0.6;
/** The model is trained on shrunk boxes: this ratio of area to circumference is added on each side. */
const UNCLIP_RATIO = 1.5;
/** Shorter sides, in pixels of the map, are noise. */
const MIN_SIDE = 3;
/** So that a noisy picture does not take minutes. */
export const MAX_LINES = 128;

/** Returns at most 128 boxes, from top to bottom, in pixels of a picture of this size. */
export function textBoxes(
  map: ProbabilityMap,
  picture: { readonly width: number; readonly height: number },
): TextBox[] {
  const scale = { x: picture.width / map.width, y: picture.height / map.height };
  const boxes: TextBox[] = [];
  const seen = new Uint8Array(map.values.length);
  for (let start = 0; start < map.values.length && boxes.length < MAX_LINES; start++) {
    if (seen[start] !== 0 || map.values[start] <= PIXEL_THRESHOLD) continue;
    const { edge, sum, count } = component(map, start, seen);
    const score = sum / count;
    const rectangle = smallestRectangle(edge);
    if (score < BOX_THRESHOLD || Math.min(rectangle.width, rectangle.height) < MIN_SIDE) continue;
    const grown = smallestRectangle(
      corners(unclipped(rectangle)).map(({ x, y }) => ({
        x: (x + 0.5) * scale.x - 0.5,
        y: (y + 0.5) * scale.y - 0.5,
      })),
    );
    boxes.push({ ...grown, score });
  }
  return boxes.sort((a, b) => a.center.y - b.center.y || a.center.x - b.center.x);
}

interface Component {
  /** The pixels with a neighbor outside, which alone decide the rectangle. */
  readonly edge: Point[];
  readonly sum: number;
  readonly count: number;
}

/** All pixels that touch each other, also at their corners. */
function component({ width, height, values }: ProbabilityMap, start: number, seen: Uint8Array): Component {
  const edge: Point[] = [];
  const open = [start];
  let [sum, count] = [0, 0];
  seen[start] = 1;
  for (let pixel = open.pop(); pixel !== undefined; pixel = open.pop()) {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    sum += values[pixel];
    count++;
    let isInside = x > 0 && y > 0 && x < width - 1 && y < height - 1;
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
        const neighbor = row * width + column;
        if (values[neighbor] <= PIXEL_THRESHOLD) isInside = false;
        else if (seen[neighbor] === 0) {
          seen[neighbor] = 1;
          open.push(neighbor);
        }
      }
    }
    if (!isInside) edge.push({ x, y });
  }
  return { edge, sum, count };
}

function unclipped(rectangle: Rectangle): Rectangle {
  const { width, height } = rectangle;
  const distance = (width * height * UNCLIP_RATIO) / (2 * (width + height));
  return { ...rectangle, width: width + 2 * distance, height: height + 2 * distance };
}
