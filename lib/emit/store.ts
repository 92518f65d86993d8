/** Stores slices in the cache as read-only files named by their digest. Each is written once and shared by hard links. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileDigest, rememberDigests } from '../cache/fingerprint';
import { cacheError, cacheOrTemporaryFolder } from '../cache/folder';
import { systemReason, SlicedInferenceError, quoted } from '../errors';
import { withPartial } from '../host/folders';
import { type Chunk, totalLength } from '../onnx/encode';
import type { SourceFile } from '../onnx/model';
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
  checkRoom(compiled, folder);
  const digests = compiled.slices.map(({ model, weights }): SliceDigests => ({
    model: store(compiled.files, model, folder),
    ...(weights.length > 0 && { weights: store(compiled.files, weights, folder) }),
  }));
  const stored = digests.flatMap(({ model, weights }) =>
    weights === undefined ? [model] : [model, weights],
  );
  rememberDigests(stored.map((digest) => ({ file: path.join(folder, digest), digest })));
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
  const find = (planned: PlannedFile): string | undefined => {
    const file = path.join(folder, planned.sha256);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    return stat?.isFile() && stat.size === planned.bytes && isIntact(file, planned) ? file : undefined;
  };
  const found: SlicePaths[] = [];
  for (const slice of slices) {
    const model = find(slice.model);
    const weights = slice.weights && find(slice.weights);
    if (model === undefined || (slice.weights && weights === undefined)) return undefined;
    found.push({ model, ...(weights !== undefined && { weights }) });
  }
  return found;
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
    throw cacheError(folder, 'be writable', systemReason(error));
  }
}

function checkRoom({ slices }: CompiledModel, folder: string): void {
  const needed = slices.reduce(
    (sum, { model, weights }) => sum + totalLength(model) + totalLength(weights),
    0,
  );
  const { bavail, bsize } = fs.statfsSync(folder);
  if (bavail * bsize >= needed) return;
  throw cacheError(folder, `have room for ${needed} bytes of slices`, `${bavail * bsize} bytes`);
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
  const check = (planned: PlannedFile): string => checkedFile(path.resolve(folder, planned.file), planned);
  return slices.map(({ model, weights }) => ({
    model: check(model),
    ...(weights && { weights: check(weights) }),
  }));
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
      'slice the model again',
    );
  }
  if (digest === planned.sha256) return file;
  throw new SlicedInferenceError(
    `slice file ${quoted(file)} must have the ${planned.bytes} bytes that its plan lists`,
    size === planned.bytes ? 'other bytes' : `${size} bytes`,
    'copy it again, or slice the model again',
  );
}
