/** Makes a slice ready to run: its files, its manifest, its session. */
import { readFile } from 'node:fs/promises';
import type { SliceManifest } from '../contract';
import type { SliceEnvironment } from './environment';
import { readManifest } from './manifest';
import type { ObjectStore } from '../store/object-store';
import { Session } from './session';
import { fetchSlice } from './weights';

export interface LoadedSlice {
  readonly manifest: SliceManifest;
  readonly session: Session;
  /** Size of the slice's files. */
  readonly weightBytes: number;
}

export async function loadSlice(
  objects: ObjectStore,
  environment: SliceEnvironment,
  root?: string,
): Promise<LoadedSlice> {
  const { path, bytes: weightBytes } = await fetchSlice(objects, environment.files, root);
  const manifest = readManifest(await readFile(path));
  const session = await Session.open({ path, threads: environment.threads });
  return { manifest, session, weightBytes };
}
