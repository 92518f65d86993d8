/** Cuts a model into slices, and predicts how long each computes. */
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { isBindable, onnxDataType, packedBytes } from '../../lib/onnx/data-type';
import { bestCut } from '../../lib/plan/best-cut';
import { mostSlices } from '../../lib/plan/cuts/cuts';
import type { Slicer } from '../../lib/plan/slicing';
import { count } from '../../lib/plan/slicing';
import type { SliceWiring } from '../../lib/plan/wiring/wiring';
import type { ValueTypes } from '../../lib/shapes/value-types';
import { nodeWork } from '../../lib/node-work/node-work';
import type { ModelProfile } from '../../lib/node-work/profile/profile';
import { profiledTypes } from '../../lib/node-work/profile/profiled-model';
import { OUTPUT_BANDWIDTH, REFERENCE_FLOPS } from '../../lib/node-work/reference-processor';

const SLICES = 4;

/** Fewer slices if the model has fewer cuts. */
export function slicerOf({ cuts }: AnalyzedModel): Slicer {
  return count(Math.min(SLICES, mostSlices(cuts)));
}

export function wiredSlices(analyzed: AnalyzedModel): readonly SliceWiring[] {
  return bestCut(analyzed.dataflow, analyzed.cuts, slicerOf(analyzed)).wiring.slices;
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
  { model, planned }: AnalyzedModel,
  slices: readonly SliceWiring[],
  profile: ModelProfile,
): Prediction {
  const { callSeconds, flopsPerSecond } = profile.machine;
  const scale = REFERENCE_FLOPS / flopsPerSecond;
  const shaped = profiledTypes(model.graph, profile, planned.types);
  const results = new Set(model.graph.outputs.map(({ value }) => value));
  // The profile has the time to write the results of the model, because the profiled slices write them too.
  const bySlice = (
    work: readonly number[],
    types: ValueTypes,
    isWritten: (value: number) => boolean,
  ): number[] =>
    slices.map(({ allNodes, outputs }) => {
      const computing = allNodes.reduce((sum, node) => sum + work[node], 0);
      const bytes = outputs.filter(isWritten).reduce((sum, value) => sum + bytesOf(types[value]), 0);
      return callSeconds + scale * (computing + bytes / OUTPUT_BANDWIDTH);
    });
  const all = (): boolean => true;
  return {
    profiled: bySlice(nodeWork(model, planned.types, profile), shaped, (value) => !results.has(value)),
    analytic: bySlice(nodeWork(model, shaped), shaped, all),
    inferred: bySlice(nodeWork(model, planned.types), planned.types, all),
  };
}

/** Unknown sizes count as 1. */
function bytesOf({ dtype, shape }: ValueTypes[number]): number {
  const elements = (shape ?? []).reduce<number>(
    (product, size) => product * (typeof size === 'number' ? size : 1),
    1,
  );
  return dtype !== undefined && isBindable(dtype) ? (packedBytes(onnxDataType(dtype), elements) ?? 0) : 0;
}
