/** Loads a slice: downloads its files, reads its manifest and creates its session. */
import { readFile } from 'node:fs/promises';
import type { SliceManifest } from '../../contract/slice-manifest';
import { allDone } from '../store/all-done';
import type { ObjectStore } from '../store/object-store';
import type { SliceEnvironment } from './environment';
import { readManifest } from './manifest';
import type * as session from './session';
import { SliceFetch, type FetchedFile } from './weights';

export interface LoadedSlice {
  readonly manifest: SliceManifest;
  readonly session: session.Session;
  /** Size of the slice's files. */
  readonly weightBytes: number;
}

/** A slice that is loading. Its manifest is ready long before its weights. */
export interface LoadingSlice {
  /** Rejects only after `slice` has settled, so that the rest of a failed load does not interfere with the next one. */
  readonly manifest: Promise<SliceManifest>;
  readonly slice: Promise<LoadedSlice>;
}

/**
 * Loads ONNX Runtime when it is first needed. The function of the whole model must answer that it is cold without it: its 46 MB
 * take a new sandbox longer to read than everything else in the init phase.
 */
export function sessionModule(): typeof session {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- `import()` would end the init phase before the library is loaded
  return require('./session') as typeof session;
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
  const opened = await sessionModule().Session.open({ path: model.path, threads });
  return { manifest: loadedManifest, session: opened, weightBytes: model.bytes + (weights?.bytes ?? 0) };
}
