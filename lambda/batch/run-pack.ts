/** Runs a slice for a pack: computes its items one after the other, and writes one object with the tensors of all. */
import {
  PACK_MEMORY_SHARE,
  type PackEvent,
  type PackFailure,
  type PackOutcome,
} from '../../contract/batch-pack';
import { ERROR_NAMES } from '../../contract/failures';
import { MAX_INLINE_RESULT_BYTES } from '../../contract/execution';
import { sliceObjectKey } from '../../contract/keys';
import type { SliceAnswer, SliceEvent } from '../../contract/slice-event';
import type { SliceManifest } from '../../contract/slice-manifest';
import { messageOf, sliceFailed } from '../errors';
import type { SliceForRun } from '../slice/resident-slice';
import type { Session } from '../slice/session';
import type { ObjectStore } from '../store/object-store';
import type { SafetensorsStore } from '../store/safetensors-store';
import { processOf } from '../telemetry/processor';
import { roundedTenth, Stopwatch } from '../telemetry/telemetry';
import { withoutValues } from '../tensor-flow/run-slice';
import { fittingTensors } from '../tensor-flow/results';
import { neededTensors, pick, type Stores } from '../tensor-flow/slice-tensors';
import { resultName } from './item-digest';
import { failureOfItem } from './item-failure';
import { gatherPack, metadataOf, tensorsOfEntries, type NamedTensors } from './pack-object';
import { bytesOfTensors, packRequests, type ReadItem, type UnreadItem } from './pack-requests';

export interface PackCall {
  readonly startedAt: number;
  readonly isWhole: boolean;
  readonly objects: ObjectStore;
  /** Milliseconds until Lambda ends the call. */
  readonly remainingMs: () => number;
}

/** A slice reads the whole object of the one before. */
const MAX_PACK_BYTES = 64 * 2 ** 20;

/** For the write of what was computed, and for the answer. */
const WRITE_MS = 5_000;

export async function runPack(
  event: SliceEvent & { readonly pack: PackEvent },
  { manifest: manifestPromise, loaded }: SliceForRun,
  stores: Stores,
  call: PackCall,
): Promise<SliceAnswer> {
  const watch = new Stopwatch();
  // If reading fails first, nothing awaits the load any more: mark its rejection as handled.
  loaded.catch(() => undefined);
  const manifest = await manifestPromise;
  const maxBytes = Math.min(MAX_PACK_BYTES, stores.memoryBytes * PACK_MEMORY_SHARE);
  const [{ slice: loadedSlice, timing: load }, { items, indices, ...before }] = await Promise.all([
    loaded,
    itemsOf(event, manifest, stores, { objects: call.objects, maxBytes }),
  ]);
  const pack = new PackRun(loadedSlice.session, manifest, event.pack.handedOn ?? [], before);
  const remainingMs = (): number => Math.min(call.remainingMs(), event.pack.until - Date.now());
  let reached = 0;
  for await (const item of items) {
    const isOver = pack.bytes >= maxBytes || remainingMs() < WRITE_MS + 2 * pack.longestMs;
    // The requests of the others are not even read.
    if (isOver && reached > 0) break;
    await pack.take(item);
    reached++;
  }
  pack.left.push(...indices.slice(reached));
  const readMs = Math.max(0, roundedTenth(watch.lap() - pack.runMs - (load.warmedUp ? 0 : load.loadMs)));
  const { bytesWritten, ...written } =
    manifest.result === undefined
      ? await writeForLater(event, manifest.slice, pack, stores.runs)
      : await writeResult(event.pack, pack, stores.callers);
  const { slice } = manifest;
  return {
    slice,
    ...written,
    items: pack.computed.length,
    timing: {
      ...(call.isWhole ? { whole: true } : { slice }),
      ...{ startedAt: call.startedAt, ...load, readMs },
      ...{ runMs: roundedTenth(pack.runMs), writeMs: watch.lap(), weightBytes: loadedSlice.weightBytes },
      ...{ bytesRead: pack.bytesRead, bytesWritten, ...processOf(stores.memoryBytes) },
    },
  };
}

type Before = Pick<PackOutcome, 'failed' | 'left'>;

interface ItemsToCompute extends Before {
  readonly items: AsyncIterable<ReadItem | UnreadItem> | Iterable<ReadItem>;
  /** Of all items, in their order. */
  readonly indices: readonly number[];
}

/** The first slice reads requests, the others what slices before have computed. */
async function itemsOf(
  { run, pack }: SliceEvent & { readonly pack: PackEvent },
  manifest: SliceManifest,
  stores: Stores,
  { objects, maxBytes }: { readonly objects: ObjectStore; readonly maxBytes: number },
): Promise<ItemsToCompute> {
  const needed = neededTensors(manifest);
  if (manifest.slice > 0) {
    const gathered = await gatherPack(needed, { run, store: stores.runs });
    return { ...gathered, indices: indicesOf(gathered.items) };
  }
  const { items, source, handedOn = [] } = pack;
  if (items === undefined || source === undefined)
    throw sliceFailed('the event has no items for the first slice: deploy the stack again');
  const names = [...new Set([...needed.map(({ name }) => name), ...handedOn])];
  const requests = { stores: { ...stores, objects }, maxBytes };
  const read = packRequests({ items, source }, names, manifest, requests);
  return { items: read, indices: indicesOf(items), failed: [], left: [] };
}

function indicesOf(items: readonly { readonly index: number }[]): number[] {
  return items.map(({ index }) => index);
}

/** The state of a slice that computes a pack. */
class PackRun {
  readonly computed: ReadItem[] = [];
  readonly failed: PackFailure[];
  readonly left: number[];
  /** Of the tensors in `computed`. */
  bytes = 0;
  bytesRead = 0;
  runMs = 0;
  longestMs = 0;
  private readonly wanted: readonly string[];

  constructor(
    private readonly session: Session,
    private readonly manifest: SliceManifest,
    private readonly handedOn: readonly string[],
    before: Before,
  ) {
    this.failed = [...before.failed];
    this.left = [...before.left];
    this.wanted = manifest.outputs.map(({ name }) => name);
  }

  async take(item: ReadItem | UnreadItem): Promise<void> {
    if ('failure' in item) {
      this.failed.push({ items: [item.index], ...item.failure });
      return;
    }
    const startedAt = performance.now();
    try {
      const tensors = await this.compute(item);
      this.computed.push({ ...item, tensors });
      this.bytes += bytesOfTensors(tensors);
    } catch (error) {
      const failure = failureOfItem(ERROR_NAMES.sliceFailed, withoutValues(messageOf(error)));
      this.failed.push({ items: [item.index], ...failure });
    }
    const ms = performance.now() - startedAt;
    this.bytesRead += bytesOfTensors(item.tensors);
    this.runMs += ms;
    this.longestMs = Math.max(this.longestMs, ms);
  }

  private async compute({ tensors }: ReadItem): Promise<NamedTensors> {
    const { session, manifest, handedOn, wanted } = this;
    const computed = await session.run(pick(tensors, manifest.inputs), wanted);
    const all = new Map([...tensors, ...computed]);
    if (manifest.result !== undefined) return pick(all, manifest.result);
    return pick(
      all,
      [...wanted, ...handedOn].map((name) => ({ name })),
    );
  }
}

async function writeForLater(
  { run }: SliceEvent,
  slice: number,
  { computed, failed, left }: PackRun,
  store: SafetensorsStore,
) {
  const entries = computed.map(({ index, digest }) => [index, digest]);
  const tensors = tensorsOfEntries(computed.map((item) => item.tensors));
  const key = sliceObjectKey(run, slice);
  const bytesWritten = await store.write(key, tensors, metadataOf({ entries, failed, left }));
  return { object: store.reference(key), bytesWritten };
}

/** A result that is there has the same content: its key depends on all that it is computed from. */
async function writeResult(
  { resultsPrefix = '', salt = '', inline }: PackEvent,
  { computed, failed, left }: PackRun,
  store: SafetensorsStore,
) {
  const done = indicesOf(computed);
  if (done.length === 0) return { pack: { done, failed, left }, bytesWritten: 0 };
  const digests = computed.map(({ digest }) => digest);
  const result = `${resultsPrefix}${resultName(digests, salt, 'safetensors')}`;
  const tensors = tensorsOfEntries(computed.map((item) => item.tensors));
  const bytesWritten = await store.write(result, tensors, metadataOf({ digests }));
  const object = store.reference(result);
  const pack = { result, done, failed, left };
  if (inline !== true) return { object, pack, bytesWritten };
  const fitting = fittingTensors(computed[0].tensors, MAX_INLINE_RESULT_BYTES);
  return {
    object,
    pack,
    outputs: { s3: object, entry: 0, ...(fitting && { tensors: fitting }) },
    bytesWritten,
  };
}
