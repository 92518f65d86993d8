/** What a report says of a batch of many items: time, price and the quotas that it meets. */
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { type BatchShape, plannedBatch } from '../../../lib/cost/batch';
import { batchQuotas, mostItemsPerRun } from '../../../lib/cost/batch-quotas';
import { batchRuns } from '../../../lib/plan/pricing/batch-runs';
import type { ChosenCut } from '../../../lib/plan/slicers/slicer';
import type { ReportedBatch } from '../plan-report';

export function reportedBatch(analyzed: AnalyzedModel, cut: ChosenCut, shape: BatchShape): ReportedBatch {
  const runs = batchRuns(analyzed, cut);
  const { children, lanes, milliseconds, dollars, costs, ...planned } = plannedBatch(runs, shape);
  const { rowBytes } = runs.model.options.environment.batch;
  const most = mostItemsPerRun(runs, shape);
  const quotas = batchQuotas(
    shape,
    { children, lanes, milliseconds, dollars, costs, ...planned },
    { rowBytes, width: runs.width },
  );
  return {
    ...{ ...shape, children, childrenAtOnce: lanes, milliseconds, dollars, costs },
    itemsPerSecond: (1000 * shape.items) / milliseconds.p50,
    mostItemsPerRun: most,
    quotas,
    warnings: [
      ...(most === 0
        ? ['one item takes longer than an Express execution may, 5 minutes: no batch can run it']
        : []),
      ...(most > 0 && most < shape.itemsPerRun
        ? [`at most ${most} items a child fit: use --items-per-run ${most}`]
        : []),
      ...quotas
        .filter(({ used, limit }) => used > limit)
        .map(({ quota, used, limit, advice }) => `${quota}: ${figure(used)} of ${figure(limit)}: ${advice}`),
      ...(cut.whole
        ? [
            'the batch is priced without the function of the whole model, which serves items that find it warm',
          ]
        : []),
    ],
  };
}

function figure(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}
