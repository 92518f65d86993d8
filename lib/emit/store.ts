/** Stores slices in the cache as read-only files named by their digest. Each is written once and shared by hard links. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileDigest, rememberDigest } from '../cache/fingerprint';
import { cacheError, cacheOrTemporaryFolder } from '../cache/folder';
import { systemReason, SlicedInferenceError, quoted } from '../errors';
import { withPartial } from '../host/folders';

import type { Chunk, SourceFile } from '../onnx/model';
import { writeChunks } from '../onnx/write-chunks';
import type { PlannedFile, SlicePlan } from '../plan/file/plan';
import type { CompiledModel } from './slice';
import { type SliceDigests, sealPlan } from './seal-plan';

export interface SlicePaths {
  readonly model: string;
  readonly weights?: string;
}

const READ_ONLY = 0o444;

/** A partial file that did not change for this long is left over from a killed process. */
const ABANDONED_MS = 60 * 60_000;

/** Writes a compiled model's slices into the store. Reads each weight once and hashes it while writing. */
export function storeSlices(compiled: CompiledModel): SlicePlan {
  const folder = cacheOrTemporaryFolder('slices');
  removeAbandoned(folder);
  const digests = compiled.slices.map(({ model, weights }): SliceDigests => ({
    model: store(compiled.files, model, folder),
    ...(weights.length > 0 && { weights: store(compiled.files, weights, folder) }),
  }));
  for (const digest of digests.flatMap(({ model, weights }) => [model, weights ?? model]))
    rememberDigest(path.join(folder, digest), digest);
  return sealPlan(compiled.plan, digests);
}

/** The stored files of a plan's slices; `undefined` if a file is missing or has the wrong size. */
export function storedSlices(plan: SlicePlan): SlicePaths[] | undefined {
  return findSlices(plan, () => true);
}

/**
 * Does the same, and also returns `undefined` if a file has other bytes: assets are hard links to stored files, so a program
 * that edits a file in `cdk.out` edits the stored file. A file is read only if its fingerprint has changed.
 */
export function intactSlices(plan: SlicePlan): SlicePaths[] | undefined {
  return findSlices(plan, (file, { sha256 }) => fileDigest(file) === sha256);
}

function findSlices(
  { slices }: SlicePlan,
  isIntact: (file: string, planned: PlannedFile) => boolean,
): SlicePaths[] | undefined {
  const folder = cacheOrTemporaryFolder('slices');
  const pathOf = ({ sha256 }: PlannedFile): string => path.join(folder, sha256);
  const isThere = (planned: PlannedFile): boolean => {
    const stat = fs.statSync(pathOf(planned), { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile() || stat.size !== planned.bytes) return false;
    return isIntact(pathOf(planned), planned);
  };
  const files = slices.flatMap(({ model, weights }) => (weights ? [model, weights] : [model]));
  return files.every(isThere) ? pathsOf(slices, pathOf) : undefined;
}

function pathsOf(slices: SlicePlan['slices'], pathOf: (planned: PlannedFile) => string): SlicePaths[] {
  return slices.map(({ model, weights }) => ({
    model: pathOf(model),
    ...(weights && { weights: pathOf(weights) }),
  }));
}

/** Writes to a partial file, then renames it: no digest ever names half a file, even if several processes write it. */
function store(files: readonly SourceFile[], chunks: readonly Chunk[], folder: string): string {
  const partial = path.join(folder, `${randomBytes(8).toString('hex')}.partial`);
  try {
    return withPartial(partial, () => {
      const digest = writeChunks(files, chunks, partial);
      fs.chmodSync(partial, READ_ONLY);
      fs.renameSync(partial, path.join(folder, digest));
      return digest;
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw cacheError(folder, systemReason(error));
  }
}

function removeAbandoned(folder: string): void {
  for (const entry of fs.readdirSync(folder)) {
    if (!entry.endsWith('.partial')) continue;
    const file = path.join(folder, entry);
    const changed = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (changed !== undefined && Date.now() - changed > ABANDONED_MS) fs.rmSync(file, { force: true });
  }
}

/**
 * The paths of the plan's slice files in `folder`. A file is hashed once; while its fingerprint is unchanged, later
 * calls reuse the digest.
 */
export function checkedSlices(folder: string, { slices }: SlicePlan): SlicePaths[] {
  return pathsOf(slices, (planned) => checkedFile(path.resolve(folder, planned.file), planned));
}

function checkedFile(file: string, planned: PlannedFile): string {
  let size: number;
  let digest: string;
  try {
    size = fs.statSync(file).size;
    digest = size === planned.bytes ? fileDigest(file) : '';
  } catch (error) {
    throw new SlicedInferenceError(
      `slice file ${quoted(file)} must exist`,
      systemReason(error),
      'slice the model again, without --for-bucket',
    );
  }
  if (digest === planned.sha256) return file;
  throw new SlicedInferenceError(
    `slice file ${quoted(file)} must have the ${planned.bytes} bytes that its plan lists`,
    size === planned.bytes ? 'other bytes' : `${size} bytes`,
    'copy it again, or slice the model again',
  );
}
