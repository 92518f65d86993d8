/** Loads a slice: downloads its files, reads its manifest and creates its session. */
import { readFile } from 'node:fs/promises';
import type { SliceManifest } from '../../contract/slice-manifest';
import { allDone } from '../store/all-done';
import type { ObjectStore } from '../store/object-store';
import type { SliceEnvironment } from './environment';
import { sessionModule } from './late-session';
import { readManifest } from './manifest';
import type { Session } from './session';
import { SliceFetch, type FetchedFile } from './weights';

export interface LoadedSlice {
  readonly manifest: SliceManifest;
  readonly session: Session;
  /** Size of the slice's files. */
  readonly weightBytes: number;
}

/** A slice that is loading. Its manifest is ready long before its weights. */
export interface LoadingSlice {
  /** Rejects only after `slice` has settled, so that the rest of a failed load does not interfere with the next one. */
  readonly manifest: Promise<SliceManifest>;
  readonly slice: Promise<LoadedSlice>;
}

export function startLoading(
  objects: ObjectStore,
  environment: SliceEnvironment,
  root?: string,
): LoadingSlice {
  const fetch = new SliceFetch(objects, environment.files, root);
  const model = fetch.model();
  const read = model.then(async ({ path }) => readManifest(await readFile(path)));
  const weights = fetch.weights();
  // No later request needs them: they lead to the bucket of the files, and there are many.
  const files = allDone([model, weights] as const).finally(() => {
    objects.closeIdleConnections();
  });
  const slice = open(environment.threads, read, files);
  const manifest = read.catch(async (error: unknown) => {
    await allDone([slice]).catch(() => undefined);
    throw error;
  });
  // Either promise may reject before anyone awaits it; mark both as handled.
  manifest.catch(() => undefined);
  slice.catch(() => undefined);
  return { manifest, slice };
}

async function open(
  threads: number,
  manifest: Promise<SliceManifest>,
  files: Promise<readonly [model: FetchedFile, weights: FetchedFile | undefined]>,
): Promise<LoadedSlice> {
  const [model, weights] = await files;
  const loadedManifest = await manifest;
  const session = await sessionModule().Session.open({ path: model.path, threads });
  return { manifest: loadedManifest, session, weightBytes: model.bytes + (weights?.bytes ?? 0) };
}
