/** Downloads a slice's files to the local disk, once for each content. */
import { access, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOutOfSpace, sliceFailed } from '../errors';
import { downloadVerified, isAbandonedPart } from '../store/download';
import { ObjectUnavailable, type ObjectStore } from '../store/object-store';
import type { SliceFile, SliceFiles } from './environment';

const MODEL_FILE = 'slice.onnx';

/** A second attempt succeeds if the network damaged the first one, or if the full disk could be cleared. */
const ATTEMPTS = 2;

export interface FetchedFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Downloads a slice's files into one folder, where the weights have the file name by which the model refers to them.
 * Files are verified when they are written, so an existing file is valid. The folder's name has the digests of both
 * files, because the same graph with other weights has the same model file.
 */
export class SliceFetch {
  private readonly folder: string;
  private readonly siblings: string;

  constructor(
    private readonly objects: ObjectStore,
    private readonly files: SliceFiles,
    root = tmpdir(),
  ) {
    const { model, weights } = files;
    const digests = weights === undefined ? model.sha256 : `${model.sha256}-${weights.sha256}`;
    this.siblings = join(root, 'sliced-inference');
    this.folder = join(this.siblings, digests);
  }

  model(): Promise<FetchedFile> {
    return this.fetch(this.files.model, MODEL_FILE);
  }

  /** Returns `undefined` if the slice has no external weights. */
  async weights(): Promise<FetchedFile | undefined> {
    const { weights } = this.files;
    return weights && (await this.fetch(weights, weights.fileName));
  }

  private async fetch(file: SliceFile, name: string): Promise<FetchedFile> {
    const path = join(this.folder, name);
    await mkdir(this.folder, { recursive: true });
    if (!(await exists(path))) await this.download(file, path);
    return { path, bytes: (await stat(path)).size };
  }

  private async download(file: SliceFile, path: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await downloadVerified(this.objects, file.object, file.sha256, path);
        return;
      } catch (error) {
        if (error instanceof ObjectUnavailable) {
          throw sliceFailed(
            `the slice's file ${error.message}: deploy the stack again if the file has expired, or allow the function to use the bucket's encryption key`,
            {},
            error,
          );
        }
        if (attempt === ATTEMPTS) throw error;
        if (isOutOfSpace(error)) await this.removeLeftovers();
      }
    }
  }

  /** Deletes what other processes left in the same `/tmp`: other slices, and parts of files if they were killed. */
  private async removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.siblings)) {
      const sibling = join(this.siblings, name);
      if (sibling !== this.folder) await rm(sibling, { recursive: true, force: true });
    }
    for (const name of await readdir(this.folder)) {
      if (isAbandonedPart(name)) await rm(join(this.folder, name), { force: true });
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    // The file is missing, or not readable; then the download's rename reports a better error.
    return false;
  }
}
