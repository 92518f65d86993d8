/** How far a batch is, by the counts of its map run. */
import type { DescribeMapRunOutput, MapRunItemCounts } from '@aws-sdk/client-sfn';
import type { BatchProgress } from './types';

export type ItemCounts = Omit<BatchProgress, 'perSecond' | 'endsAt'>;

export function countsOf(mapRun: DescribeMapRunOutput | undefined): ItemCounts {
  const of = (name: keyof MapRunItemCounts): number => mapRun?.itemCounts?.[name] ?? 0;
  const failed = of('failed') + of('timedOut') + of('aborted');
  return {
    total: of('total'),
    done: of('succeeded'),
    failed,
    running: of('running'),
    pending: of('pending'),
  };
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
