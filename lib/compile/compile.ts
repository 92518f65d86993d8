/** Compiles a model: from its path to a plan and the bytes of its slices. */
import { sliceName } from '../../contract/keys';
import { type PlanEstimates, planEstimates } from './plan-estimates';
import { type AnalyzeOptions, type AnalyzedModel, analyzeModel } from './analyze';
import { describePlan, sliceManifests } from './describe-plan';
import type { CompiledModel } from '../emit/compiled-model';
import { emitSlice } from '../emit/slice';
import type { ChosenCut } from '../plan/choose/cut-prices';
import { bestCut } from '../plan/best-cut';
import type { ConsolidationMode } from '../plan/pricing/whole-model';
import type { Slicer } from '../plan/slicers';

/**
 * Reads a model, chooses its cuts and plans its slices. Weights are not read until the slices are written.
 *
 * @throws SlicedInferenceError if the model cannot be read or run, or if it cannot be cut as requested
 */
export function compile(modelPath: string, slicer: Slicer, options: AnalyzeOptions = {}): CompiledModel {
  return compileAnalyzed(analyzeModel(modelPath, options), slicer);
}

/**
 * Also estimates what runs of the plan cost, and whether one function would be better.
 *
 * @param consolidation whether the whole model is compiled too
 * @throws SlicedInferenceError the same errors
 */
export function compileEstimated(
  modelPath: string,
  slicer: Slicer,
  options: AnalyzeOptions = {},
  consolidation: ConsolidationMode = 'never',
): EstimatedModel {
  const analyzed = analyzeModel(modelPath, options);
  const cut = bestCut(analyzed.dataflow, analyzed.cuts, slicer, consolidation);
  return {
    compiled: compileCut(analyzed, cut),
    ...(cut.whole && { whole: compileCut(analyzed, cut.whole.cut) }),
    estimates: planEstimates(analyzed, cut, slicer),
  };
}

interface EstimatedModel {
  readonly compiled: CompiledModel;
  /** The whole model as one slice, with consolidation. */
  readonly whole?: CompiledModel;
  readonly estimates: PlanEstimates;
}

export function compileAnalyzed(analyzed: AnalyzedModel, slicer: Slicer): CompiledModel {
  return compileCut(analyzed, bestCut(analyzed.dataflow, analyzed.cuts, slicer));
}

/** Plans the slices of a cut that is chosen already. */
export function compileCut(analyzed: AnalyzedModel, cut: ChosenCut): CompiledModel {
  const { source, model, types, provenShapes } = analyzed;
  const manifests = sliceManifests(model, { types, provenShapes }, cut.wiring);
  const slices = cut.wiring.slices.map((slice, index) =>
    emitSlice(model, { types, provenShapes }, slice, manifests[index], `${sliceName(index)}.weights`),
  );
  const plan = describePlan(analyzed, cut, manifests, slices);
  return { plan, source, files: model.files, slices };
}
