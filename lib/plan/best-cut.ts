/** Chooses the best of several ways to cut a model as the slicer requests, by the model of cost. */
import type { Dataflow } from '../dataflow/dataflow';
import type { ChosenCut, Slicer } from './slicers/slicer';
import { namedCut } from './choose/named-cut';
import { searchedCut } from './choose/searched-cut';
import type { CutSpace } from './cuts/cuts';
import type { ConsolidationMode } from './pricing/price';

/**
 * The best of the cuts that the slicer chooses with repeated nodes, without them, and between branches.
 *
 * `cuts` decided value by value what to recompute, so it may move more bytes in total than `cuts.withoutRepeats`. A
 * size limit may also allow no cut with repeated nodes but one without them. Cuts between branches of a model let the
 * branches run in parallel.
 *
 * @param dataflow the data flow in which only constant nodes are repeated
 */
export function bestCut(
  dataflow: Dataflow,
  cuts: CutSpace,
  slicer: Slicer,
  consolidation: ConsolidationMode = 'never',
): ChosenCut {
  if ('search' in slicer) return searchedCut(dataflow, cuts, slicer, consolidation);
  return namedCut(dataflow, cuts, slicer, consolidation);
}
