/** From a model's path to stored slices: what a pipeline deploys. An unchanged model costs a few stats and a read. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { AnalyzeOptions } from './analyze';
import type { Fingerprint } from '../cache/fingerprint';
import { fingerprint, isReliable } from '../cache/fingerprint';
import { readCached, writeCached } from '../cache/entries';
import { cacheFolder } from '../cache/folder';
import { isSinceBoot } from '../cache/since-boot';
import type * as compiler from './compile';
import type { SlicePaths } from '../emit/store';
import { storeSlices, storedSlices } from '../emit/store';
import { SlicedInferenceError } from '../errors';
import { onnxRuntimeVersion } from '../host/onnxruntime';
import { packageVersion } from '../host/package-files';
import type { SlicePlan } from '../plan/plan';
import { isPlan } from '../plan/check-plan';
import type { Slicer } from '../plan/search/slicers';

export interface StagedModel {
  readonly plan: SlicePlan;
  /** By slice: its files on this disk. */
  readonly slices: readonly SlicePaths[];
}

/** What the cache knows of a model that was cut before. */
interface KnownPlan {
  /** In milliseconds since 1970. */
  readonly writtenAt: number;
  /** By path: each file of the model as it was when the plan was made. */
  readonly files: Readonly<Record<string, Fingerprint>>;
  readonly plan: SlicePlan;
}

/** @throws SlicedInferenceError for everything about the model or the slicing that cannot be, and for a full disk */
export function stageModel(modelPath: string, slicer: Slicer, options: AnalyzeOptions = {}): StagedModel {
  const cache = cacheFolder('plans');
  const key = keyOf(modelPath, slicer, options);
  const known = readCached(cache, key);
  if (isKnownPlan(known) && isUnchanged(known)) {
    const slices = storedSlices(known.plan);
    if (slices) return { plan: known.plan, slices };
  }
  // Loaded here: an unchanged model needs nothing of it, and takes less time than its loading would.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- synthesis is synchronous, `import()` is not
  const { compile } = require('./compile') as typeof compiler;
  const compiled = compile(modelPath, slicer, options);
  const plan = storeSlices(compiled);
  const slices = storedSlices(plan);
  if (slices === undefined) {
    throw new SlicedInferenceError(
      'the cache must stay as it is while a model is sliced',
      'slices that vanished',
      'start again when nothing clears it any more',
    );
  }
  if (compiled.source.every(({ fingerprint: print }) => isReliable(print))) {
    const files = Object.fromEntries(
      compiled.source.flatMap(({ names, fingerprint: print }) => names.map((name) => [name, print])),
    );
    writeCached(cache, key, { writtenAt: Date.now(), files, plan } satisfies KnownPlan);
  }
  return { plan, slices };
}

/** All that a plan depends on besides what is in the model's files. */
function keyOf(
  modelPath: string,
  slicer: Slicer,
  { dimensions = {}, optimization = 'none' }: AnalyzeOptions,
): string {
  return createHash('sha256')
    .update(
      JSON.stringify([
        packageVersion(),
        onnxRuntimeVersion(),
        path.resolve(modelPath),
        slicer.key,
        dimensions,
        optimization,
        // What ONNX Runtime fuses depends on it.
        os.cpus().at(0)?.model,
      ]),
    )
    .digest('hex');
}

/** Only a damaged disk or a meddler makes anything else of what was written here. */
function isKnownPlan(value: unknown): value is KnownPlan {
  const known = value as Partial<KnownPlan> | null | undefined;
  return (
    typeof known?.writtenAt === 'number' &&
    typeof known.files === 'object' &&
    Object.keys(known.files).length > 0 &&
    isPlan(known.plan)
  );
}

function isUnchanged({ writtenAt, files }: KnownPlan): boolean {
  return (
    isSinceBoot(writtenAt) &&
    Object.entries(files).every(([file, print]) => fs.existsSync(file) && fingerprint(file) === print)
  );
}
