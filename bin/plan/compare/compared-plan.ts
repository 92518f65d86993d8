/** One side of a comparison: a model that is planned here, or a plan file, with the prices of its model if that is found. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type AnalyzedModel, analyzeModel } from '../../../lib/compile/analyze';
import { compileCut } from '../../../lib/compile/compile';
import { readPlan } from '../../../lib/compile/files/read-plan';
import { type CutModel, cutModel } from '../../../lib/compile/fit-by-splits';
import { costOf } from '../../../lib/cost/schedule';
import { quoted, SlicedInferenceError } from '../../../lib/errors';
import { attempt } from '../../../lib/plan/choose/ranking';
import type { PlanDraft, SlicePlan } from '../../../lib/plan/file/plan';
import { DEFAULT_GOAL } from '../../../lib/plan/goal';
import { plannedRuns } from '../../../lib/plan/pricing/plan-runs';
import { type Slicer, fromPlan } from '../../../lib/plan/slicers';
import { SEARCH_FLAGS } from '../../commands/search-options';
import { SLICING_CHOICES, analyzeOptions, slicerFor } from '../../commands/slicing-options';
import { showProgress } from '../../terminal/progress';
import type { PlanReport } from '../plan-report';
import { type PlanOptions, plannedModel } from '../planned-model';
import { type FilesOfSlices, compiledFiles, plannedFiles } from './slice-files';

export interface ComparedPlan {
  /** As the user named it. */
  readonly path: string;
  readonly plan: PlanDraft;
  readonly files: FilesOfSlices;
  /** With consolidation: the model as one slice. */
  readonly whole?: { readonly plan: PlanDraft; readonly files: FilesOfSlices };
  /** Absent for a plan file whose model is not found. */
  readonly report?: PlanReport;
  readonly options: PlanOptions;
}

export interface ComparedInput {
  readonly path: string;
  readonly options: PlanOptions;
  /** The options that the user set for this plan. */
  readonly given: Partial<PlanOptions>;
}

/** @returns what A and B are. A model that both name with the same flags is analyzed once. */
export function comparedPlans(inputs: readonly [ComparedInput, ComparedInput]): [ComparedPlan, ComparedPlan] {
  const files = inputs.map((input) => (isPlanFile(input.path) ? readPlanFile(input) : undefined));
  const analyzed = new Map<string, AnalyzedModel>();
  const analyze: Analyze = (model, options) => {
    const chosen = analyzeOptions(options);
    const key = JSON.stringify([path.resolve(model), chosen]);
    showProgress(`reading ${model}`);
    const known = analyzed.get(key) ?? analyzeModel(model, chosen);
    analyzed.set(key, known);
    return known;
  };
  const planOf = (side: 0 | 1): ComparedPlan => {
    const [file, { path: other }] = [files[side], inputs[1 - side]];
    return file
      ? ofFile(inputs[side], file, isPlanFile(other) ? [] : [other], analyze)
      : ofModel(inputs[side], analyze);
  };
  return [planOf(0), planOf(1)];
}

type Analyze = (model: string, options: PlanOptions) => AnalyzedModel;

function isPlanFile(file: string): boolean {
  return file.toLowerCase().endsWith('.json');
}

/** What a plan file says itself. */
const DECIDED: readonly (keyof PlanOptions)[] = [
  ...[...SLICING_CHOICES, ...SEARCH_FLAGS],
  ...(['dimension', 'optimize', 'split', 'splitLargeOperators'] as const),
];

function readPlanFile({ path: file, given }: ComparedInput): SlicePlan {
  const extra = DECIDED.find((name) => given[name] !== undefined);
  if (extra === undefined) return readPlan(file);
  const flag = extra.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new SlicedInferenceError(
    `plan file ${quoted(file)} decides its cuts, sizes and optimization itself`,
    `--${extra === 'splitLargeOperators' ? 'no-' : ''}${flag}`,
    'pass the model instead, or if the flag is for the second plan, put it after --with',
  );
}

function ofModel({ path: model, options }: ComparedInput, analyze: Analyze): ComparedPlan {
  const slicer = slicerFor(options);
  const read = analyze(model, options);
  showProgress(`planning ${model}`);
  const planned = planWith(cutModel(read, slicer, options.consolidation), slicer, options);
  return { path: model, options, ...planned };
}

function planWith({ analyzed, cut }: CutModel, slicer: Slicer, options: PlanOptions) {
  const { compiled, report } = plannedModel(analyzed, cut, slicer, options);
  const whole = cut.whole && compileCut(analyzed, cut.whole.cut);
  return {
    ...{ plan: compiled.plan, files: compiledFiles(compiled), report },
    ...(whole && { whole: { plan: whole.plan, files: compiledFiles(whole) } }),
  };
}

/**
 * Files and sizes are those of the plan file. Its prices are those of its model, which may lie beside the plan, or in the folder above
 * it, as `slice --out` makes it, or be the other side.
 */
function ofFile(
  { path: file, options }: ComparedInput,
  plan: SlicePlan,
  others: readonly string[],
  analyze: Analyze,
): ComparedPlan {
  // `SlicedModel` has no files of the whole model.
  const mode = options.consolidation === 'automatic' ? 'never' : options.consolidation;
  const own = { ...options, dimension: plan.dimensions, optimize: plan.graphOptimization, split: {} };
  const slicer = fromPlan(plan, file);
  const side = { path: file, plan, files: plannedFiles(plan), options: own };
  const folder = path.dirname(file);
  const beside = [folder, path.dirname(path.resolve(folder))].map((each) => path.join(each, plan.model.file));
  for (const model of [...beside, ...others]) {
    if (!fs.existsSync(model) || !fs.statSync(model).isFile()) continue;
    // A model of another graph, or another file of this name, is not the plan's.
    const found = attempt(() => cutModel(analyze(model, own), slicer, mode));
    if (found instanceof SlicedInferenceError) continue;
    const { report, whole, plan: again } = planWith(withSettingsOf(plan, found), slicer, own);
    if (!again.slices.every(({ weightBytes }, slice) => weightBytes === plan.slices[slice].weightBytes))
      continue;
    return { ...side, report, ...(whole && { whole }) };
  }
  return side;
}

/** The cut with the memory and the threads that the plan file has. */
function withSettingsOf({ slices, threads }: SlicePlan, { analyzed, cut }: CutModel): CutModel {
  const { transport, cuts } = analyzed;
  const settings = { memoryMb: slices.map(({ memoryMb }) => memoryMb), threads, transport };
  const { outcomes } = plannedRuns(analyzed, { ...cut, settings }).slices;
  const { temperature } = DEFAULT_GOAL;
  const cost = costOf(outcomes, cuts.costs.model().coldShare, temperature);
  return { analyzed, cut: { ...cut, settings: { ...settings, temperature, cost } } };
}
