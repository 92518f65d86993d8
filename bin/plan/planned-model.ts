/** Plans a model as the flags of `plan` say: its report, and the slices, whose weights are not read. */
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { compileCut } from '../../lib/compile/compile';
import { planLimits } from '../../lib/compile/plan-estimates';
import type { CompiledModel } from '../../lib/emit/slice';
import type { BatchRequests } from '../../lib/plan/pricing/batch-runs';
import type { ConsolidationMode } from '../../lib/plan/pricing/price';
import type { Slicer } from '../../lib/plan/slicers';
import type { ChosenCut } from '../../lib/plan/slicers/slicer';
import type { SlicingOptions } from '../commands/slicing-options';
import type { PlanReport } from './plan-report';
import { assembleReport } from './report/assemble-report';

export interface PlanOptions extends SlicingOptions {
  readonly consolidation: ConsolidationMode;
  readonly batch?: number;
  readonly itemsPerRun?: number;
  readonly concurrency: number;
  readonly requests: BatchRequests;
  readonly compare?: string;
  readonly report?: string;
  readonly json?: boolean;
}

export function plannedModel(
  analyzed: AnalyzedModel,
  cut: ChosenCut,
  slicer: Pick<Slicer, 'goal'>,
  { batch: items, itemsPerRun, concurrency, requests }: PlanOptions,
): { readonly compiled: CompiledModel; readonly report: PlanReport } {
  const compiled = compileCut(analyzed, cut);
  const report = assembleReport(analyzed, cut, compiled.plan, {
    ...planLimits(slicer),
    ...(items !== undefined && { batch: { items, itemsPerRun, concurrency, requests } }),
  });
  return { compiled, report };
}
