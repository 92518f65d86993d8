/** How far a batch is, by the counts of its map run. */
import type { DescribeMapRunOutput } from '@aws-sdk/client-sfn';
import type { BatchProgress } from './types';

export type ItemCounts = Omit<BatchProgress, 'perSecond' | 'endsAt'>;

export function countsOf(mapRun: DescribeMapRunOutput | undefined): ItemCounts {
  const {
    total = 0,
    succeeded = 0,
    failed = 0,
    timedOut = 0,
    aborted = 0,
    running = 0,
    pending = 0,
  } = mapRun?.itemCounts ?? {};
  return { total, done: succeeded, failed: failed + timedOut + aborted, running, pending };
}

/** @param first where the first report of an iterator found the batch, and when, by `performance.now()` */
export function progressSince(
  first: { readonly at: number; readonly counts: ItemCounts },
  counts: ItemCounts,
): BatchProgress {
  const ended = counts.done + counts.failed - first.counts.done - first.counts.failed;
  const seconds = (performance.now() - first.at) / 1000;
  if (ended <= 0 || seconds <= 0) return { ...counts, perSecond: 0 };
  const perSecond = ended / seconds;
  const left = (counts.running + counts.pending) / perSecond;
  return { ...counts, perSecond, endsAt: new Date(Date.now() + 1000 * left) };
}
