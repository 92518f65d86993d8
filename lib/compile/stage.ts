/** Stages a model for deployment: compiles it into stored slices, or reuses them if the model's files are unchanged. */
import { hash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { AnalyzeOptions } from './analyze';
import type { BatchItem } from '../cost/batch-items';
import type { PlanEstimates, OneFunction, RunEstimate } from './plan-estimates';
import { type Fingerprint, digestOfGiven, fingerprint, isReliable } from '../cache/fingerprint';
import { isSinceBoot, readCached, writeCached, cacheFolder } from '../cache/folder';
import type * as compiler from './compile';
import { checkPlan } from './files/read-plan';
import { type SlicePaths, intactSlices, storeSlices, storedSlices } from '../emit/store';
import { withDefaults } from '../cost/options';
import { SlicedInferenceError } from '../errors';
import { onnxRuntimeVersion, packageVersion } from '../host/packages';
import type { SlicePlan } from '../plan/file/plan';
import type { ConsolidationMode } from '../plan/pricing/price';
import type { Slicer } from '../plan/slicers';
import { sortedSizes } from '../shapes/value-types';
import type { Latency, RunCost } from '../cost/chain';
import { Place, anObject, numberFrom, optional, trueOrFalse, text } from '../json-readers';

export interface StagedModel {
  readonly plan: SlicePlan;
  readonly estimates: PlanEstimates;
  readonly slices: readonly SlicePaths[];
  readonly whole?: { readonly plan: SlicePlan; readonly slices: readonly SlicePaths[] };
}

interface KnownPlan {
  /** In milliseconds since 1970. */
  readonly writtenAt: number;
  readonly files: Readonly<Record<string, Fingerprint>>;
  readonly plan: SlicePlan;
  readonly whole?: SlicePlan;
  readonly estimates: PlanEstimates;
}

interface StageOptions extends AnalyzeOptions {
  /** Whether the whole model is staged too. @default 'never' */
  readonly consolidation?: ConsolidationMode;
}

/**
 * For an unchanged model, this reads one cache entry and stats the files of the model and of its slices. It reads a
 * slice only if another program has touched the slice's file.
 */
export function stageModel(modelPath: string, slicer: Slicer, options: StageOptions = {}): StagedModel {
  const cache = cacheFolder('plans');
  const key = keyOf(modelPath, slicer, options);
  const known = knownPlan(readCached(cache, key));
  if (known !== undefined && isUnchanged(known)) {
    const staged = stagedModel(known, intactSlices);
    if (staged) return staged;
  }
  // Load the compiler only here: an unchanged model does not need it, and loading it takes longer than everything else.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- synthesis is synchronous, `import()` is not
  const { compileEstimated } = require('./compile') as typeof compiler;
  const { compiled, whole, estimates } = compileEstimated(modelPath, slicer, options, options.consolidation);
  const plans = { plan: storeSlices(compiled), ...(whole && { whole: storeSlices(whole) }), estimates };
  const staged = stagedModel(plans, storedSlices);
  if (staged === undefined) {
    throw new SlicedInferenceError(
      'the cache must not change while a model is sliced',
      'slices that were deleted',
      'try again when no other program clears the cache',
    );
  }
  if (compiled.source.every(({ fingerprint: print }) => isReliable(print))) {
    const files = Object.fromEntries(
      compiled.source.flatMap(({ names, fingerprint: print }) => names.map((name) => [name, print])),
    );
    writeCached(cache, key, { writtenAt: Date.now(), files, ...plans } satisfies KnownPlan);
  }
  return staged;
}

function stagedModel(
  { plan, whole, estimates }: Pick<KnownPlan, 'plan' | 'whole' | 'estimates'>,
  find: (plan: SlicePlan) => SlicePaths[] | undefined,
): StagedModel | undefined {
  const slices = find(plan);
  if (whole === undefined) return slices && { plan, estimates, slices };
  const ofWhole = find(whole);
  return slices && ofWhole && { plan, estimates, slices, whole: { plan: whole, slices: ofWhole } };
}

/** Covers everything that a plan depends on, except the contents of the model's files. */
function keyOf(modelPath: string, slicer: Slicer, options: StageOptions): string {
  const { dimensions = {}, optimization = 'none', costs = {}, inputs } = options;
  const parts = [
    packageVersion(),
    onnxRuntimeVersion(),
    path.resolve(modelPath),
    slicer.key,
    sortedSizes(dimensions),
    optimization,
    withDefaults(costs),
    costs.requestsPerHour,
    costs.prepacking,
    options.transport,
    options.consolidation,
    options.splits,
    inputs && [path.basename(inputs), digestOfGiven(inputs)],
    // Which nodes ONNX Runtime fuses depends on the processor.
    os.cpus().at(0)?.model,
  ];
  return hash('sha256', JSON.stringify(parts));
}

function knownPlan(value: unknown): KnownPlan | undefined {
  const known = (value ?? {}) as { readonly [Name in keyof KnownPlan]?: unknown };
  const { writtenAt, files } = known;
  if (typeof writtenAt !== 'number' || typeof files !== 'object' || files === null) return undefined;
  if (Object.keys(files).length === 0) return undefined;
  try {
    const plan = checkPlan(known.plan, 'of the cache');
    const whole = known.whole === undefined ? undefined : checkPlan(known.whole, 'of the cache');
    const estimates = ESTIMATES(known.estimates, Place.root('of the cache'));
    return { writtenAt, files: files as KnownPlan['files'], plan, ...(whole && { whole }), estimates };
  } catch {
    // The model is cut again, and the entry is overwritten.
    return undefined;
  }
}

function isUnchanged({ writtenAt, files }: KnownPlan): boolean {
  return (
    isSinceBoot(writtenAt) &&
    Object.entries(files).every(([file, print]) => fs.existsSync(file) && fingerprint(file) === print)
  );
}

const MAX_TEXT = 1000;
/** Longest sentence with names of dimensions and what ONNX Runtime says of them, in characters. */
const MAX_NOTE = 4000;

const AMOUNT = numberFrom(0);

const COST = { dollars: AMOUNT, latency: anObject<Latency>({ p50: AMOUNT, p95: AMOUNT }) };
const END = anObject<RunCost>(COST);

const RUN = anObject<RunEstimate>({ ...COST, ends: anObject<RunEstimate['ends']>({ fast: END, slow: END }) });

const ESTIMATES = anObject<PlanEstimates>({
  warm: RUN,
  cold: RUN,
  batchItem: anObject<BatchItem>({
    itemMs: AMOUNT,
    slowItemMs: AMOUNT,
    slowFirstMs: AMOUNT,
    bytes: AMOUNT,
    packBytes: AMOUNT,
  }),
  oneFunction: anObject<OneFunction>({
    ...{ isCheaper: trueOrFalse, verdict: text(MAX_TEXT) },
    ...{ memoryMb: AMOUNT, warm: RUN, cold: RUN },
  }),
  wholeCallMs: optional(AMOUNT),
  refusedSizes: optional(text(MAX_NOTE)),
  uselessSlices: optional(text(MAX_NOTE)),
});
