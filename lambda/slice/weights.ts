/** Brings a slice's two files to local disk, once for each content. */
import { access, mkdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadVerified } from '../store/download';
import type { SliceFile, SliceFiles } from './environment';
import { sliceFailed } from '../errors';
import { ObjectUnavailable, type ObjectStore } from '../store/object-store';

const MODEL_FILE = 'slice.onnx';

export interface FetchedSlice {
  /** Path of the slice's model. */
  readonly path: string;
  /** Size of its files. */
  readonly bytes: number;
}

/**
 * Fetches the slice's model, its weights beside it under the name by which it refers to them. A file that is
 * there was checked when it was written. The folder is named by both digests: the same graph with other weights
 * has the same model file.
 */
export async function fetchSlice(
  objects: ObjectStore,
  files: SliceFiles,
  root = tmpdir(),
): Promise<FetchedSlice> {
  const { model, weights } = files;
  const digests = weights === undefined ? model.sha256 : `${model.sha256}-${weights.sha256}`;
  const folder = join(root, 'sliced-inference', digests);
  await mkdir(folder, { recursive: true });
  const path = join(folder, MODEL_FILE);
  const sizes = await Promise.all([
    fetchFile(objects, model, path),
    weights === undefined ? 0 : fetchFile(objects, weights, join(folder, weights.fileName)),
  ]);
  return { path, bytes: sizes[0] + sizes[1] };
}

/** Returns the file's size. */
async function fetchFile(objects: ObjectStore, file: SliceFile, path: string): Promise<number> {
  if (!(await exists(path))) await download(objects, file, path);
  return (await stat(path)).size;
}

async function download(objects: ObjectStore, file: SliceFile, path: string): Promise<void> {
  try {
    await downloadVerified(objects, file.object, file.sha256, path);
  } catch (error) {
    if (!(error instanceof ObjectUnavailable)) throw error;
    throw sliceFailed(
      `the slice's file ${error.message}: it may have expired (deploy the stack again), or the bucket has a key that the function may not use`,
    );
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    // Not there, or not readable, which the download's rename then says better.
    return false;
  }
}
