/** What a report says of a function with the whole model beside the slices. */
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import type { WholeCut } from '../../../lib/compile/consolidate';
import { consolidatedPlan } from '../../../lib/compile/plan-estimates';
import type { SlicedPlan } from '../../../lib/cost/alternatives/compare';
import { costOf } from '../../../lib/cost/schedule-cost';
import type { ChosenCut } from '../../../lib/plan/best-cut';
import type { Goal } from '../../../lib/plan/search/slicers';
import { fileBytes } from '../../../lib/plan/sizes/estimate';
import type { ReportedConsolidation } from '../plan-report';
import { reportedRun } from './priced-plan';

interface Consolidation {
  readonly plan: SlicedPlan;
  readonly reported: ReportedConsolidation;
}

/** @param coldShare share of mixed runs that find their functions cold */
export function reportedConsolidation(
  analyzed: AnalyzedModel,
  cut: ChosenCut,
  whole: WholeCut,
  { goal, coldShare }: { readonly goal: Goal; readonly coldShare: number },
): Consolidation {
  const plan = consolidatedPlan(analyzed, cut, whole, goal);
  const at = (temperature: 'warm' | 'mixed' | 'cold') => reportedRun(costOf(plan, coldShare, temperature));
  return {
    plan,
    reported: {
      memoryMb: whole.memoryMb,
      fileBytes: fileBytes(whole.size),
      run: { warm: at('warm'), mixed: at('mixed'), cold: at('cold') },
    },
  };
}
