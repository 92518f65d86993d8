/** Brings a slice's files to local disk, once for each content. */
import { access, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOutOfSpace, sliceFailed } from '../errors';
import { downloadVerified, isAbandonedPart } from '../store/download';
import { ObjectUnavailable, type ObjectStore } from '../store/object-store';
import type { SliceFile, SliceFiles } from './environment';

const MODEL_FILE = 'slice.onnx';

/** The second attempt settles whether the network or the disk was at fault. */
const ATTEMPTS = 2;

export interface FetchedFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * A slice's files as they come. The weights lie beside the model under the name by which it refers to them. A file that
 * is there was checked when it was written. The folder is named by both digests: the same graph with other weights has
 * the same model file.
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

  /** `undefined` where the slice has none outside of its model. */
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
            `the slice's file ${error.message}: it may have expired (deploy the stack again), or the bucket has a key that the function may not use`,
          );
        }
        if (attempt === ATTEMPTS) throw error;
        if (isOutOfSpace(error)) await this.removeLeftovers();
      }
    }
  }

  /** What others have left in the same `/tmp`: slices of other plans, and parts of files whose process was killed. */
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
    // Not there, or not readable, which the download's rename then says better.
    return false;
  }
}
