/** How far a batch is: by the counts of its map run, and at its end by those of its items. */
import type { DescribeMapRunOutput, MapRunItemCounts } from '@aws-sdk/client-sfn';
import type { BatchOutput } from '../../contract/batch';
import type { BatchProgress } from './types';

export type ItemCounts = Omit<BatchProgress, 'perSecond' | 'endsAt'>;

/**
 * Step Functions counts children, and those with failed items succeed too.
 * @param reported items that children have reported as failed
 */
export function countsOf(mapRun: DescribeMapRunOutput | undefined, reported: number): ItemCounts {
  const of = (name: keyof MapRunItemCounts): number => mapRun?.itemCounts?.[name] ?? 0;
  const known = Math.min(reported, of('succeeded'));
  return {
    total: of('total'),
    done: of('succeeded') - known,
    failed: known + of('failed') + of('timedOut'),
    running: of('running'),
    // Children that were stopped have not ended their items.
    pending: of('pending') + of('aborted'),
  };
}

/** Children whose items had no time succeed too, so only the output and the table tell which items have a result. */
export function countsAtEnd({ total, done, skipped, failed, pending }: BatchOutput['items']): ItemCounts {
  return { total, done: done + skipped, failed, running: 0, pending };
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
