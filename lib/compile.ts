/** From a model's path to a plan and the bytes of its slices. */
import type { AnalysedModel } from './analyse';
import { analyseModel } from './analyse';
import { describePlan, sliceManifests } from './describe-plan';
import type { CompiledModel } from './emit/compiled-model';
import { emitSlice } from './emit/slice';
import { sliceName } from '../lambda/contract';
import { checkGroups } from './plan/check-groups';
import type { Slicer } from './plan/slicers';
import { wireSlices } from './plan/wiring';
import type { DimensionSizes } from './shapes/value-types';

/**
 * Reads a model, chooses its cuts and plans its slices. Weights are read once, for their digests, and never kept.
 *
 * @throws SlicedInferenceError for everything about the model or the slicing that cannot be
 */
export function compile(modelPath: string, slicer: Slicer, dimensions: DimensionSizes = {}): CompiledModel {
  return compileAnalysed(analyseModel(modelPath, dimensions), slicer);
}

export function compileAnalysed(analysed: AnalysedModel, slicer: Slicer): CompiledModel {
  const { model, dataflow, types, cuts } = analysed;
  const groups = slicer(cuts);
  checkGroups(dataflow, cuts.rule, groups);
  const wiring = wireSlices(dataflow, groups);
  const manifests = sliceManifests(model, types, wiring);
  const slices = wiring.slices.map((slice, index) =>
    emitSlice(model, types, slice, manifests[index], `${sliceName(index)}.weights`),
  );
  return { plan: describePlan(analysed, groups, manifests, slices), files: model.files, slices };
}
