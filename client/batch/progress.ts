/** How far a batch is, by the counts of its map run. */
import type { DescribeMapRunOutput } from '@aws-sdk/client-sfn';

/** How far a batch is. An item that was skipped is done. */
export interface BatchProgress {
  /** Items that the batch has found so far. */
  readonly total: number;
  /** Items with a result. */
  readonly done: number;
  /** Items of child executions that failed. All items of such a child count, also those that have a result. */
  readonly failed: number;
  /** Items of child executions that run. */
  readonly running: number;
  /** Items that wait. */
  readonly pending: number;
  /** Items that ended per second, over the last minute. */
  readonly perSecond: number;
  /** When the batch will end at this speed; absent while nothing is known. */
  readonly endsAt?: Date;
}

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

/** Milliseconds over which the speed is measured. */
const WINDOW_MS = 60_000;

export class Speed {
  private readonly samples: { readonly at: number; readonly ended: number }[] = [];

  progress(counts: ItemCounts, since: Date | undefined, at = Date.now()): BatchProgress {
    const { samples } = this;
    const ended = counts.done + counts.failed;
    if (samples.length === 0) samples.push({ at: since?.getTime() ?? at, ended: 0 });
    samples.push({ at, ended });
    while (samples.length > 2 && samples[1].at < at - WINDOW_MS) samples.shift();
    const [first] = samples;
    const perSecond = at > first.at ? Math.max(0, (1000 * (ended - first.ended)) / (at - first.at)) : 0;
    const left = counts.running + counts.pending;
    if (perSecond === 0 || counts.total === 0) return { ...counts, perSecond };
    return { ...counts, perSecond, endsAt: new Date(at + (1000 * left) / perSecond) };
  }
}
