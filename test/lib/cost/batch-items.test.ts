/** How many items a run of a batch takes: by time, by the child's time and by what functions hold. */
import { type BatchItem, plannedItems } from '../../../lib/cost/batch-items';

const SHORT: BatchItem = { itemMs: 1, slowItemMs: 1, slowFirstMs: 1000, bytes: 1, packBytes: 2 ** 24 };

it.each<[string, Partial<BatchItem>, number]>([
  ['500 in a child', {}, 500],
  ['20 seconds of computing', { itemMs: 100 }, 200],
  // Without a second for the ramp and one for the first item, 273 are left.
  ['a third of the time of a child where runs are slowest', { slowItemMs: 1000 }, 91],
  ['the bytes that functions hold', { bytes: 2 ** 18 }, 64],
  ['the bytes that a function with little memory holds', { bytes: 2 ** 18, packBytes: 2 ** 22 }, 16],
  ['one item, however long it takes', { itemMs: 1e6, slowItemMs: 1e6 }, 1],
])('at most %s', (_, changes, items) => {
  expect(plannedItems({ ...SHORT, ...changes }, 100)).toBe(items);
});
