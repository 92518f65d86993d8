/** How many items a run of a batch takes, unless the user says it. */
import { PACK_MEMORY_SHARE } from '../../contract/batch-pack';
import { smallestOf } from '../extremes';
import { type BatchedPlan, timesOf } from './batch';
import * as limits from './batch-limits';

/** What decides the size of a run. */
export interface BatchItem {
  /** What an item takes in a run of many. */
  readonly itemMs: number;
  /** The same where runs are slowest, within which 95 of 100 end, and what a child takes besides, with cold starts. */
  readonly slowItemMs: number;
  readonly slowFirstMs: number;
  /** The most bytes of its tensors that a slice reads or writes. */
  readonly bytes: number;
  /** The most bytes of a pack that each function holds. */
  readonly packBytes: number;
}

/** Of a run whose time tells that of an item. */
const SOME_ITEMS = 8;

/** @param slowest the same plan where runs are slowest */
export function batchItem(plan: BatchedPlan, slowest: BatchedPlan): BatchItem {
  const slow = timesOf(slowest, 0, SOME_ITEMS).p95;
  const { itemMs } = timesOf(plan, 0, SOME_ITEMS).p50;
  const packBytes = Math.min(limits.PACK_BYTES, smallestOf(plan.memoryMb) * 2 ** 20 * PACK_MEMORY_SHARE);
  const slowFirstMs = slow.childMs + slow.coldMs;
  return { itemMs, slowItemMs: slow.itemMs, slowFirstMs, bytes: plan.bytes, packBytes };
}

/** Items that a child runs within its time where runs are slowest, after its ramp and a cold start. */
export function itemsInTime({ slowItemMs, slowFirstMs }: BatchItem, concurrency: number): number {
  const room = limits.SECONDS_OF_CALLS - concurrency / limits.RAMP_CHILDREN_PER_SECOND - slowFirstMs / 1000;
  return Math.max(0, Math.floor((1000 * room) / Math.max(1, slowItemMs)));
}

/** Bad items are repeated in halves of a pack, and functions hand back what they do not reach in time. */
const SHARE_OF_TIME = 1 / 3;

/** As many as compute for some seconds, and whose tensors functions hold. */
export function plannedItems(item: BatchItem, concurrency: number): number {
  const most = [
    (1000 * limits.PACK_SECONDS) / Math.max(1, item.itemMs),
    item.packBytes / Math.max(1, item.bytes),
    itemsInTime(item, concurrency) * SHARE_OF_TIME,
    limits.MAX_ITEMS_PER_RUN,
  ];
  return Math.max(1, Math.floor(Math.min(...most)));
}
