/** Makes a slice ready to run: its files, its manifest, its session. */
import { readFile } from 'node:fs/promises';
import type { SliceManifest } from '../../contract/slice-manifest';
import { allDone } from '../store/all-done';
import type { ObjectStore } from '../store/object-store';
import type { SliceEnvironment } from './environment';
import { readManifest } from './manifest';
import { Session } from './session';
import { SliceFetch, type FetchedFile } from './weights';

export interface LoadedSlice {
  readonly manifest: SliceManifest;
  readonly session: Session;
  /** Size of the slice's files. */
  readonly weightBytes: number;
}

/** A slice on its way. What it reads is known long before its weights are there. */
export interface LoadingSlice {
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
  const manifest = model.then(async ({ path }) => readManifest(await readFile(path)));
  const slice = open(environment.threads, manifest, model, fetch.weights());
  // Who waits for the one may have failed by the other meanwhile.
  manifest.catch(() => undefined);
  slice.catch(() => undefined);
  return { manifest, slice };
}

async function open(
  threads: number,
  manifest: Promise<SliceManifest>,
  ...files: readonly [model: Promise<FetchedFile>, weights: Promise<FetchedFile | undefined>]
): Promise<LoadedSlice> {
  const [model, weights] = await allDone(files);
  const known = await manifest;
  const session = await Session.open({ path: model.path, threads });
  return { manifest: known, session, weightBytes: model.bytes + (weights?.bytes ?? 0) };
}
