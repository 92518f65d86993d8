/** Sorts boxes as people read them: row by row, and each row from left to right. */
import type { Point, Rectangle } from '../detection/rectangle';

/** Boxes are in one row if their centers differ by less than this share of their height. */
const SAME_ROW = 0.5;

/** Returns the indexes of the boxes in the order in which people read them. */
export function readingOrder(boxes: readonly Rectangle[]): number[] {
  const level = levelCenters(boxes);
  const downward = boxes.map((_, index) => index).sort((a, b) => level[a].y - level[b].y || a - b);
  const rows: number[][] = [];
  for (const index of downward) {
    const row = rows.at(-1);
    const last = row?.at(-1);
    if (row !== undefined && last !== undefined && isBeside(last, index)) row.push(index);
    else rows.push([index]);
  }
  return rows.flatMap((row) => row.sort((a, b) => level[a].x - level[b].x || a - b));

  function isBeside(a: number, b: number): boolean {
    return Math.abs(level[a].y - level[b].y) < SAME_ROW * Math.min(boxes[a].height, boxes[b].height);
  }
}

/** The centers after the page is turned so that the middle one of all boxes is level. */
function levelCenters(boxes: readonly Rectangle[]): Point[] {
  const angles = boxes.map(({ angle }) => angle).sort((a, b) => a - b);
  const angle = angles.length === 0 ? 0 : angles[Math.floor(angles.length / 2)];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return boxes.map(({ center: { x, y } }) => ({ x: x * cos + y * sin, y: y * cos - x * sin }));
}
