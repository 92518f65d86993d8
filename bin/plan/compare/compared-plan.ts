/** One side of a comparison: a model that is planned here, or a plan file with the prices of its model. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../../lib/compile/analyze';
import { readPlan } from '../../../lib/compile/files/read-plan';
import { type CutModel, cutModel } from '../../../lib/compile/fit-by-splits';
import { costOf } from '../../../lib/cost/schedule';
import { quoted, SlicedInferenceError } from '../../../lib/errors';
import type { PlanDraft, SlicePlan } from '../../../lib/plan/file/plan';
import { DEFAULT_GOAL } from '../../../lib/plan/goal';
import { plannedRuns } from '../../../lib/plan/pricing/plan-runs';
import { type Slicer, fromPlan } from '../../../lib/plan/slicers';
import { analyzeOptions, slicerFor } from '../../commands/slicing-options';
import { showProgress } from '../../terminal/progress';
import type { PlanReport } from '../plan-report';
import { type PlanOptions, plannedModel } from '../report/assemble-report';

export interface ComparedPlan {
  /** As the user named it. */
  readonly path: string;
  /** Only that of a plan file has a digest. */
  readonly plan: Omit<PlanDraft, 'slices'> & Partial<Pick<SlicePlan, 'planDigest'>>;
  readonly report: PlanReport;
}

/** @param file an ONNX model, which is planned with the options, or a plan file, which has its own cuts, sizes and optimization */
export function comparedPlan(file: string, options: PlanOptions): ComparedPlan {
  if (isPlanFile(file)) return ofFile(file, options);
  const slicer = slicerFor(options);
  return { path: file, ...planWith(read(file, slicer, options), slicer, options) };
}

export function isPlanFile(file: string): boolean {
  return file.toLowerCase().endsWith('.json');
}

function read(model: string, slicer: Slicer, options: PlanOptions): CutModel {
  showProgress(`planning ${model}`);
  return cutModel(analyzeModel(model, analyzeOptions(options)), slicer, options.consolidation);
}

function planWith({ analyzed, cut }: CutModel, slicer: Slicer, options: PlanOptions) {
  const { compiled, report } = plannedModel(analyzed, cut, slicer, options);
  return { plan: compiled.plan, report };
}

/** Its prices are those of its model, which `slice --out` leaves in the folder above. */
function ofFile(file: string, options: PlanOptions): ComparedPlan {
  const plan = readPlan(file);
  // `SlicedModel` has no files of the whole model.
  const consolidation = options.consolidation === 'automatic' ? 'never' : options.consolidation;
  const { dimensions: dimension, graphOptimization: optimize } = plan;
  const own = { ...options, consolidation, dimension, optimize, split: {} };
  const slicer = fromPlan(plan, file);
  const cut = withSettingsOf(plan, read(modelOf(plan, file), slicer, own));
  return { path: file, ...planWith(cut, slicer, own), plan };
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
