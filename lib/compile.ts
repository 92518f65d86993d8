/** From a model's path to a plan and the bytes of its slices. */
import { sliceName } from '../lambda/contract';
import type { AnalyseOptions, AnalysedModel } from './analyse';
import { analyseModel } from './analyse';
import { describePlan, sliceManifests } from './describe-plan';
import type { CompiledModel } from './emit/compiled-model';
import { emitSlice } from './emit/slice';
import { SlicedInferenceError } from './errors';
import type { NodeIndex } from './onnx/model';
import { checkGroups } from './plan/check-groups';
import type { CutSpace } from './plan/cuts';
import type { Dataflow } from './plan/graph';
import { withRepeated } from './plan/graph';
import type { Groups } from './plan/partition';
import type { Slicer } from './plan/slicers';
import type { WiredCut } from './plan/wiring';
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
  const { source, model, types } = analysed;
  const cut = bestCut(analysed, slicer);
  const manifests = sliceManifests(model, types, cut.wiring);
  const slices = cut.wiring.slices.map((slice, index) =>
    emitSlice(model, types, slice, manifests[index], `${sliceName(index)}.weights`),
  );
  const plan = describePlan(analysed, cut, manifests, slices);
  return { plan, source, files: model.files, slices };
}

/**
 * The slices that the slicer chooses. What is worth computing again was decided value by value; whether all of it is,
 * together with the cuts that it leads to, the bytes moved in the end say. Where a limit leaves no way to cut with what is
 * computed again, there may be one without it.
 */
function bestCut(analysed: AnalysedModel, slicer: Slicer): WiredCut {
  const { cuts } = analysed;
  if (cuts.finer === undefined) return wiredCut(analysed, slicer.choose(cuts));
  const again = attempt(() => wiredCut(analysed, slicer.choose(cuts)));
  const plain = attempt(() => wiredCut(analysed, slicer.choose(cuts.finer ?? cuts)));
  if (plain instanceof SlicedInferenceError) {
    if (again instanceof SlicedInferenceError) throw plain;
    return again;
  }
  return !(again instanceof SlicedInferenceError) && isBetter(again, plain, cuts) ? again : plain;
}

function attempt<T>(make: () => T): T | SlicedInferenceError {
  try {
    return make();
  } catch (error) {
    if (error instanceof SlicedInferenceError) return error;
    throw error;
  }
}

function isBetter(cut: WiredCut, than: WiredCut, cuts: CutSpace): boolean {
  return cut.groups.length === than.groups.length
    ? bytesMoved(cut, cuts) < bytesMoved(than, cuts)
    : cut.groups.length < than.groups.length;
}

function wiredCut(analysed: AnalysedModel, groups: Groups): WiredCut {
  const dataflow = withRepeated(analysed.dataflow, leftOut(analysed.dataflow, groups));
  checkGroups(dataflow, analysed.cuts.rule, groups);
  return { dataflow, groups, wiring: wireSlices(dataflow, groups) };
}

/** Bytes that the slices read and write. */
function bytesMoved({ wiring }: WiredCut, { bytes }: CutSpace): number {
  const moved = wiring.slices.flatMap(({ inputs, outputs }) => [
    ...inputs.map(({ value }) => value),
    ...outputs,
  ]);
  return moved.reduce((sum, value) => sum + bytes[value], 0);
}

/** The nodes that the groups leave to whoever needs them. An earlier plan may have left out others than are now. */
function leftOut({ order, isCheap }: Dataflow, groups: Groups): Set<NodeIndex> {
  const placed = new Set(groups.flat());
  return new Set(order.filter((node) => isCheap[node] && !placed.has(node)));
}
