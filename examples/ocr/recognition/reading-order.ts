/** Sorts boxes as people read them: row by row, and each row from left to right. */
import type { Rectangle } from '../detection/rectangle';

/** Boxes are in one row if their centers differ by less than this share of their height. */
const SAME_ROW = 0.5;

/** Returns the indexes of the boxes in the order in which people read them. */
export function readingOrder(boxes: readonly Rectangle[]): number[] {
  const downward = boxes
    .map((_, index) => index)
    .sort((a, b) => boxes[a].center.y - boxes[b].center.y || a - b);
  const rows: number[][] = [];
  for (const index of downward) {
    const row = rows.at(-1);
    if (row !== undefined && isBeside(boxes[row[row.length - 1]], boxes[index])) row.push(index);
    else rows.push([index]);
  }
  return rows.flatMap((row) => row.sort((a, b) => boxes[a].center.x - boxes[b].center.x || a - b));
}

/** Follows the slope of the text: on a tilted page, the right end of a row is lower than its left end. */
function isBeside(row: Rectangle, box: Rectangle): boolean {
  const expected = row.center.y + (box.center.x - row.center.x) * Math.tan(row.angle);
  return Math.abs(box.center.y - expected) < SAME_ROW * Math.min(row.height, box.height);
}
