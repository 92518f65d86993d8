/** What a report says of a function with the whole model beside the slices. */
import { type RunOutcomes, costOf } from '../../../lib/cost/schedule';
import type { WholeCut } from '../../../lib/plan/pricing/whole-model';
import { fileBytes } from '../../../lib/plan/sizes/estimate';
import type { ReportedConsolidation } from '../plan-report';
import { reportedRun } from './priced-plan';

/**
 * @param runs with the whole model
 * @param coldShare share of mixed runs that find their functions cold
 */
export function reportedConsolidation(
  { memoryMb, size }: WholeCut,
  runs: RunOutcomes,
  coldShare: number,
): ReportedConsolidation {
  const at = (temperature: 'warm' | 'mixed' | 'cold') => reportedRun(costOf(runs, coldShare, temperature));
  return {
    memoryMb,
    fileBytes: fileBytes(size),
    run: { warm: at('warm'), mixed: at('mixed'), cold: at('cold') },
  };
}
