/** What a report says of a batch of many items: time, price and the quotas that it meets. */
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { type BatchShape, plannedBatch } from '../../../lib/cost/batch';
import { batchRuns } from '../../../lib/plan/pricing/batch-runs';
import { analyzedAt } from '../../../lib/compile/plan-estimates';
import type { ChosenCut } from '../../../lib/plan/slicers/slicer';
import { grouped } from '../figures';
import type { ReportedBatch } from '../plan-report';

const WHOLE =
  'the batch is priced without the function of the whole model, which serves items that find it warm';

export function reportedBatch(analyzed: AnalyzedModel, cut: ChosenCut, shape: BatchShape): ReportedBatch {
  const slowest = batchRuns(analyzedAt(analyzed, 'slow'), cut);
  const batch = plannedBatch(batchRuns(analyzed, cut), shape, slowest);
  const { milliseconds, dollars } = plannedBatch(batchRuns(analyzedAt(analyzed, 'fast'), cut), shape);
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
    ],
  };
}
