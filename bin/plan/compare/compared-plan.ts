/** One side of a comparison: a model that is planned here, or a plan file with the prices of its model. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compileCut } from '../../../lib/compile/compile';
import { readPlan } from '../../../lib/compile/files/read-plan';
import { type CutModel, cutModel } from '../../../lib/compile/fit-by-splits';
import { costOf } from '../../../lib/cost/schedule';
import { sealPlan } from '../../../lib/emit/seal-plan';
import type { CompiledModel } from '../../../lib/emit/slice';
import { quoted, SlicedInferenceError } from '../../../lib/errors';
import { chunksDigest } from '../../../lib/onnx/write-chunks';
import type { SlicePlan } from '../../../lib/plan/file/plan';
import { DEFAULT_GOAL } from '../../../lib/plan/goal';
import { plannedRuns } from '../../../lib/plan/pricing/plan-runs';
import { type Slicer, fromPlan } from '../../../lib/plan/slicers';
import { SEARCH_FLAGS } from '../../commands/search-options';
import { SLICING_CHOICES, analyzeOptions, flagOf, slicerFor } from '../../commands/slicing-options';
import { showProgress } from '../../terminal/progress';
import type { PlanReport } from '../plan-report';
import { type PlanOptions, plannedModel } from '../report/assemble-report';
import { writtenFlags } from './second-flags';

export interface ComparedPlan {
  /** As the user named it. */
  readonly path: string;
  /** As a user writes them. */
  readonly flags: readonly string[];
  readonly plan: SlicePlan;
  /** With consolidation: the model as one slice. */
  readonly whole?: SlicePlan;
  readonly report: PlanReport;
  readonly options: PlanOptions;
}

export interface ComparedInput {
  readonly path: string;
  readonly options: PlanOptions;
  /** The options that the user set for this plan alone. */
  readonly given: Partial<PlanOptions>;
  /** All that the user set and that is in effect, with those of A for B. */
  readonly set: Partial<PlanOptions>;
}

export function comparedPlan(input: ComparedInput): ComparedPlan {
  const { path: file, options, set } = input;
  if (file.toLowerCase().endsWith('.json')) return ofFile(input);
  const slicer = slicerFor(options);
  const planned = planWith(read(file, slicer, options), slicer, options);
  return { path: file, flags: writtenFlags(set), options, ...planned };
}

function read(model: string, slicer: Slicer, options: PlanOptions): CutModel {
  showProgress(`planning ${model}`);
  return cutModel(analyzeModel(model, analyzeOptions(options)), slicer, options.consolidation);
}

function planWith({ analyzed, cut }: CutModel, slicer: Slicer, options: PlanOptions) {
  const { compiled, report } = plannedModel(analyzed, cut, slicer, options);
  const whole = cut.whole && sealed(compileCut(analyzed, cut.whole.cut));
  return { plan: sealed(compiled), report, ...(whole && { whole }) };
}

/** The plan with the digests of the files that its slices would have. */
function sealed({ plan, slices, files }: CompiledModel): SlicePlan {
  const digests = slices.map(({ model, weights }) => ({
    model: chunksDigest(files, model),
    ...(weights.length > 0 && { weights: chunksDigest(files, weights) }),
  }));
  return sealPlan(plan, digests);
}

/** What a plan file says itself. */
const DECIDED: readonly (keyof PlanOptions)[] = [
  ...[...SLICING_CHOICES, ...SEARCH_FLAGS],
  ...(['dimension', 'optimize', 'split', 'splitLargeOperators'] as const),
];

/** Files and sizes are those of the plan file. Its prices are those of its model, which `slice --out` leaves in the folder above. */
function ofFile({ path: file, options, given, set }: ComparedInput): ComparedPlan {
  const extra = DECIDED.find((name) => given[name] !== undefined);
  if (extra !== undefined) {
    throw new SlicedInferenceError(
      `plan file ${quoted(file)} decides its cuts, sizes and optimization itself`,
      extra === 'splitLargeOperators' ? '--no-split-large-operators' : flagOf(extra),
      'pass the model instead, or if the flag is for the second plan, put it after --with',
    );
  }
  const plan = readPlan(file);
  // `SlicedModel` has no files of the whole model.
  const consolidation = options.consolidation === 'automatic' ? 'never' : options.consolidation;
  const { dimensions: dimension, graphOptimization: optimize } = plan;
  const own = { ...options, consolidation, dimension, optimize, split: {} };
  const slicer = fromPlan(plan, file);
  const cut = withSettingsOf(plan, read(modelOf(plan, file), slicer, own));
  const flags = writtenFlags(set, DECIDED);
  return { path: file, flags, options: own, ...planWith(cut, slicer, own), plan };
}

export function modelOf({ model }: SlicePlan, file: string): string {
  const folder = path.dirname(path.resolve(file));
  const found = [folder, path.dirname(folder)]
    .map((each) => path.join(each, model.file))
    .find((each) => fs.existsSync(each));
  if (found !== undefined) return found;
  throw new SlicedInferenceError(
    `plan file ${quoted(file)} must be in the folder of its model, or in a folder beside the model`,
    `no ${quoted(model.file)} there`,
    'copy the model or a link to it, because prices and times depend on it',
  );
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
