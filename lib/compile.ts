/** From a model's path to a plan and the bytes of its slices. */
import { sliceName } from '../lambda/contract';
import type { AnalyseOptions, AnalysedModel } from './analyse';
import { analyseModel } from './analyse';
import { describePlan, sliceManifests } from './describe-plan';
import type { CompiledModel } from './emit/compiled-model';
import { emitSlice } from './emit/slice';
import type { NodeIndex } from './onnx/model';
import { checkGroups } from './plan/check-groups';
import type { Dataflow } from './plan/graph';
import { withRepeated } from './plan/graph';
import type { Groups } from './plan/partition';
import type { Slicer } from './plan/slicers';
import { wireSlices } from './plan/wiring';

/**
 * Reads a model, chooses its cuts and plans its slices. No weight is read before the slices are written.
 *
 * @throws SlicedInferenceError for everything about the model or the slicing that cannot be
 */
export function compile(modelPath: string, slicer: Slicer, options: AnalyseOptions = {}): CompiledModel {
  return compileAnalysed(analyseModel(modelPath, options), slicer);
}

export function compileAnalysed(analysed: AnalysedModel, slicer: Slicer): CompiledModel {
  const { source, model, types, cuts } = analysed;
  const groups = slicer.choose(cuts);
  const dataflow = withRepeated(analysed.dataflow, leftOut(analysed.dataflow, groups));
  checkGroups(dataflow, cuts.rule, groups);
  const wiring = wireSlices(dataflow, groups);
  const manifests = sliceManifests(model, types, wiring);
  const slices = wiring.slices.map((slice, index) =>
    emitSlice(model, types, slice, manifests[index], `${sliceName(index)}.weights`),
  );
  return {
    plan: describePlan(analysed, dataflow, groups, manifests, slices),
    source,
    files: model.files,
    slices,
  };
}

/** The nodes that the groups leave to whoever needs them. An earlier plan may have left out others than are now. */
function leftOut({ order, isCheap }: Dataflow, groups: Groups): Set<NodeIndex> {
  const placed = new Set(groups.flat());
  return new Set(order.filter((node) => isCheap[node] && !placed.has(node)));
}
