/** Cuts a model into slices, and predicts how long each computes. */
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { nodesByRank } from '../../lib/dataflow/dataflow';
import { bestCut } from '../../lib/plan/best-cut';
import { mostSlices } from '../../lib/plan/cuts/cuts';
import type { Slicer } from '../../lib/plan/search/slicers';
import { count } from '../../lib/plan/search/slicers';
import { inferTypes } from '../../lib/shapes/infer';
import { nodeWork } from '../../lib/work/node-work';
import type { ModelProfile } from '../../lib/work/profile/profile';
import { profiledTypes } from '../../lib/work/profile/profiled-model';
import { REFERENCE_FLOPS } from '../../lib/work/reference-processor';

const SLICES = 4;

/** Fewer slices if the model has fewer cuts. */
export function slicerOf({ cuts }: AnalyzedModel): Slicer {
  return count(Math.min(SLICES, mostSlices(cuts)));
}

/** By slice: all nodes that it runs. */
export function nodesOfSlices(analyzed: AnalyzedModel): (readonly number[])[] {
  const { wiring } = bestCut(analyzed.dataflow, analyzed.cuts, slicerOf(analyzed));
  return wiring.slices.map(({ allNodes }) => allNodes);
}

/** By slice: seconds on the machine of the profile. */
export interface Prediction {
  readonly profiled: readonly number[];
  /** From operators and the shapes that the profile has. */
  readonly analytic: readonly number[];
  /** From operators and the shapes that are inferred without a run. */
  readonly inferred: readonly number[];
}

/** Predicts for the machine that made the profile, so that the speed of Lambda's processors plays no part. */
export function predict(
  { model, dataflow, dimensions }: AnalyzedModel,
  slices: readonly (readonly number[])[],
  profile: ModelProfile,
): Prediction {
  const { callSeconds, flopsPerSecond } = profile.machine;
  const scale = REFERENCE_FLOPS / flopsPerSecond;
  const bySlice = (work: readonly number[]): number[] =>
    slices.map((nodes) => callSeconds + scale * nodes.reduce((sum, node) => sum + work[node], 0));
  const inferred = inferTypes(model, nodesByRank(dataflow), dimensions);
  return {
    profiled: bySlice(nodeWork(model, inferred, profile)),
    analytic: bySlice(nodeWork(model, profiledTypes(model.graph, profile, inferred))),
    inferred: bySlice(nodeWork(model, inferred)),
  };
}
