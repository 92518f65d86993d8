/** What a report says of a batch of many items: time, price and the quotas that it meets. */
import { MAX_LINE_BYTES } from '../../../contract/batch';
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { type BatchShape, plannedBatch } from '../../../lib/cost/batch';
import { batchItem, plannedItems } from '../../../lib/cost/batch-items';
import { type BatchRequests, batchRuns } from '../../../lib/plan/pricing/batch-runs';
import { analyzedAt } from '../../../lib/compile/plan-estimates';
import type { ChosenCut } from '../../../lib/plan/slicers/slicer';
import { grouped } from '../figures';
import type { ReportedBatch } from '../plan-report';

const WHOLE =
  'the batch is priced without the function of the whole model, which serves items that find it warm';

const TOO_LONG = `requests of this size do not fit into lines of ${MAX_LINE_BYTES / 1024} KiB, so they are priced as objects`;

export interface BatchRequest extends Omit<BatchShape, 'itemsPerRun'> {
  /** @default - as the construct plans it */
  readonly itemsPerRun: number | undefined;
  readonly requests: BatchRequests;
}

export function reportedBatch(
  analyzed: AnalyzedModel,
  cut: ChosenCut,
  { requests, ...wanted }: BatchRequest,
): ReportedBatch {
  const [plan, fast, slowest] = [analyzed, analyzedAt(analyzed, 'fast'), analyzedAt(analyzed, 'slow')].map(
    (own) => batchRuns(own, cut, requests),
  );
  const planned = plannedItems(batchItem(plan, slowest), wanted.concurrency);
  const shape = { ...wanted, itemsPerRun: wanted.itemsPerRun ?? planned };
  const batch = plannedBatch(plan, shape, slowest);
  const { milliseconds, dollars } = plannedBatch(fast, shape);
  const slow = plannedBatch(slowest, shape);
  const exceeded = batch.quotas.filter(({ used, limit }) => used > limit);
  return {
    ...batch,
    ends: {
      fast: { milliseconds, dollars },
      slow: { milliseconds: slow.milliseconds, dollars: slow.dollars },
    },
    warnings: [
      ...exceeded.map(
        ({ quota, used, limit, advice }) => `${quota}: ${grouped(used)} of ${grouped(limit)}: ${advice}`,
      ),
      ...(cut.whole ? [WHOLE] : []),
      ...(requests === 'lines' && plan.lineBytes === 0 ? [TOO_LONG] : []),
    ],
  };
}
