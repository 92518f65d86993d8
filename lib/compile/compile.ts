/**
 * Compiles a model, from its path to a plan and the bytes of its slices, in phases. Each takes one value and returns the next:
 *
 * | phase                    | by               | returns                                                       |
 * |--------------------------|------------------|---------------------------------------------------------------|
 * | read, optimize and type  | `analyzeModel`   | the graph that is cut, with types                             |
 * | facts                    | `analyzeModel`   | which values may cross cuts, work and bytes: `AnalyzedModel`  |
 * | search                   | `bestCut`        | groups of nodes, wired, with settings: `ChosenCut`            |
 * | estimate                 | `planEstimates`  | what runs cost, beside one function                           |
 * | emit                     | `compileCut`     | the plan, and slices whose weights are not read yet           |
 */
import { sliceName } from '../../contract/keys';
import type { CompiledModel } from '../emit/compiled-model';
import { emitSlice } from '../emit/slice';
import { type ChosenCut, bestCut } from '../plan/best-cut';
import type { ConsolidationMode } from '../plan/pricing/whole-model';
import type { Slicer } from '../plan/slicers';
import { type AnalyzeOptions, type AnalyzedModel, analyzeModel } from './analyze';
import { describePlan, sliceManifests } from './describe-plan';
import { type PlanEstimates, planEstimates } from './plan-estimates';

/** @throws SlicedInferenceError if the model cannot be read or run, or if it cannot be cut as requested */
export function compile(modelPath: string, slicer: Slicer, options: AnalyzeOptions = {}): CompiledModel {
  return compileAnalyzed(analyzeModel(modelPath, options), slicer);
}

export function compileAnalyzed(facts: AnalyzedModel, slicer: Slicer): CompiledModel {
  return compileCut(facts, bestCut(facts.dataflow, facts.cuts, slicer));
}

interface EstimatedModel {
  readonly compiled: CompiledModel;
  /** The whole model as one slice, with consolidation. */
  readonly whole?: CompiledModel;
  readonly estimates: PlanEstimates;
}

/**
 * Also estimates what runs of the plan cost, and whether one function would be better.
 *
 * @param consolidation whether the whole model is compiled too
 */
export function compileEstimated(
  modelPath: string,
  slicer: Slicer,
  options: AnalyzeOptions = {},
  consolidation: ConsolidationMode = 'never',
): EstimatedModel {
  const facts = analyzeModel(modelPath, options);
  const cut = bestCut(facts.dataflow, facts.cuts, slicer, consolidation);
  const estimates = planEstimates(facts, cut, slicer);
  const compiled = compileCut(facts, cut);
  return { compiled, ...(cut.whole && { whole: compileCut(facts, cut.whole.cut) }), estimates };
}

/** Emits a cut that is chosen already. */
export function compileCut(facts: AnalyzedModel, cut: ChosenCut): CompiledModel {
  const { source, model } = facts;
  const manifests = sliceManifests(model, facts, cut.wiring);
  const slices = cut.wiring.slices.map((slice, index) =>
    emitSlice(model, facts, slice, manifests[index], `${sliceName(index)}.weights`),
  );
  return { plan: describePlan(facts, cut, manifests, slices), source, files: model.files, slices };
}
