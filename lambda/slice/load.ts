/** Loads a slice: downloads its files once for each content, reads its manifest and creates its session. */
import { readFile, access, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Reader } from 'protobufjs/minimal';
import { type SliceManifest, MANIFEST_KEY } from '../../contract/slice-manifest';
import { allDone } from '../store/ranged-read';
import { type ObjectStore, ObjectUnavailable } from '../store/object-store';
import type { SliceEnvironment, SliceFile, SliceFiles } from './environment';
import type * as session from './session';
import { isOutOfSpace, sliceFailed } from '../errors';
import { downloadVerified, isAbandonedPart } from '../store/download';
import { CONTRACT_VERSION } from '../../contract/version';

export interface LoadedSlice {
  readonly manifest: SliceManifest;
  readonly session: session.Session;
  readonly weightBytes: number;
}

/** A slice that is loading. Its manifest is ready long before its weights. */
export interface LoadingSlice {
  /** Rejects only after `slice` has settled, so that the rest of a failed load does not interfere with the next one. */
  readonly manifest: Promise<SliceManifest>;
  readonly slice: Promise<LoadedSlice>;
}

/** The manifest alone, without the weights. */
export async function fetchManifest(
  objects: ObjectStore,
  environment: SliceEnvironment,
  root?: string,
): Promise<SliceManifest> {
  const { path } = await new SliceFetch(objects, environment, root).model();
  return readManifest(await readFile(path));
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
  const fetch = new SliceFetch(objects, environment, root);
  const model = fetch.model();
  const read = model.then(async ({ path }) => readManifest(await readFile(path)));
  const weights = fetch.weights();
  // No later request needs them: they lead to the bucket of the files, and there are many.
  const files = allDone([model, weights] as const).finally(() => {
    objects.closeIdleConnections();
  });
  const { threads, prepacking, graphOptimization: graphOptimizationLevel } = environment;
  const open = async (): Promise<LoadedSlice> => {
    const [{ path, bytes }, ofWeights] = await files;
    return {
      manifest: await read,
      session: await sessionModule().Session.open({ path, threads, prepacking, graphOptimizationLevel }),
      weightBytes: bytes + (ofWeights?.bytes ?? 0),
    };
  };
  const slice = open();
  const manifest = read.catch(async (error: unknown) => {
    await allDone([slice]).catch(() => undefined);
    throw error;
  });
  // Either promise may reject before anyone awaits it; mark both as handled.
  manifest.catch(() => undefined);
  slice.catch(() => undefined);
  return { manifest, slice };
}

const MODEL_FILE = 'slice.onnx';

/** A second attempt succeeds if the network damaged the first one, or if the full disk could be cleared. */
const ATTEMPTS = 2;

/** More memory comes with a part of a second processor: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const ONE_VCPU_BYTES = 1_769 * 2 ** 20;

interface FetchedFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Downloads a slice's files into one folder, where the weights have the file name by which the model refers to them.
 * Files are verified when they are written, so an existing file is valid. The folder's name has the digests of both
 * files, because the same graph with other weights has the same model file.
 */
export class SliceFetch {
  private readonly files: SliceFiles;
  private readonly hasSpareProcessor: boolean;
  private readonly folder: string;
  private readonly siblings: string;

  constructor(
    private readonly objects: ObjectStore,
    { files, memoryBytes }: Pick<SliceEnvironment, 'files' | 'memoryBytes'>,
    root = tmpdir(),
  ) {
    this.files = files;
    this.hasSpareProcessor = memoryBytes > ONE_VCPU_BYTES;
    const { model, weights } = files;
    const digests = weights === undefined ? model.sha256 : `${model.sha256}-${weights.sha256}`;
    this.siblings = join(root, 'sliced-inference');
    this.folder = join(this.siblings, digests);
  }

  model(): Promise<FetchedFile> {
    return this.fetch(this.files.model, MODEL_FILE);
  }

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
        await downloadVerified(this.objects, file.object, file.sha256, path, this.hasSpareProcessor);
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

/** Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, as in lib/onnx/, which a function does not have. */
const MODEL_METADATA_PROPS = 14;
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

export function readManifest(model: Uint8Array): SliceManifest {
  const text = metadataProperty(model, MANIFEST_KEY);
  if (text === undefined) {
    throw sliceFailed(
      `the slice's model has no metadata property '${MANIFEST_KEY}', which this library writes: deploy the stack again`,
    );
  }
  const manifest = JSON.parse(text) as SliceManifest;
  // The type allows only this version, but another release may have written the file.
  const version: number = manifest.version;
  if (version !== CONTRACT_VERSION) {
    throw sliceFailed(
      `the slice's manifest must have version ${CONTRACT_VERSION}, got ${version}: deploy the stack again`,
      { expected: String(CONTRACT_VERSION), got: String(version) },
    );
  }
  return manifest;
}

function metadataProperty(model: Uint8Array, wanted: string): string | undefined {
  const reader = Reader.create(model);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 !== MODEL_METADATA_PROPS) {
      reader.skipType(tag & 7);
      continue;
    }
    const [key, value] = readEntry(Reader.create(reader.bytes()));
    if (key === wanted) return value;
  }
  return undefined;
}

function readEntry(reader: Reader): [key: string, value: string] {
  let key = '';
  let value = '';
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === ENTRY_KEY) key = reader.string();
    else if (tag >>> 3 === ENTRY_VALUE) value = reader.string();
    else reader.skipType(tag & 7);
  }
  return [key, value];
}
