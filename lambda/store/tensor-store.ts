/** Tensors in the pipeline's bucket: one safetensors object per slice and run, read by ranges, written once. */
import type { ObjectReference } from '../contract';
import { inMemory, type TensorReader } from './tensor-reader';
import type { ByteRange, ObjectStore, WriteResult } from './object-store';
import { collectInto, CONNECTIONS, inParallel, openObject, readRange } from './ranged-read';
import {
  parseHeader,
  readHeaderLength,
  LENGTH_BYTES,
  type HeaderEntry,
  type StoredTensor,
} from '../tensors/safetensors-header';
import { decodeSafetensors, encodeSafetensors } from '../tensors/safetensors';
import type { RawTensor } from '../tensors/tensor';

/** The first read: it holds the header of most objects, and the whole of small ones. */
export const FIRST_READ_BYTES = 64 * 1024;

/** Reading so many unneeded bytes costs less than another request's latency. */
export const MAX_GAP_BYTES = 256 * 1024;

export class TensorStore {
  constructor(
    private readonly objects: ObjectStore,
    private readonly bucket: string,
  ) {}

  reference(key: string): ObjectReference {
    return { bucket: this.bucket, key };
  }

  /** Writes the object, or leaves the one that an earlier attempt of the same run wrote. */
  async write(
    key: string,
    tensors: ReadonlyMap<string, RawTensor>,
  ): Promise<{ result: WriteResult; bytes: number }> {
    const file = encodeSafetensors(tensors);
    const result = await this.objects.putIfAbsent(this.reference(key), file);
    return { result, bytes: result === 'written' ? file.byteLength : 0 };
  }

  /**
   * Reads the object's header; tensors are fetched when they are read.
   * @throws SafetensorsError, ObjectUnavailable, ObjectChanged
   */
  async open(key: string): Promise<TensorReader> {
    const object = this.reference(key);
    const opened = await openObject(this.objects, object, FIRST_READ_BYTES);
    const first = new Uint8Array(opened.startBytes);
    await collectInto(first, 0, opened.start);
    if (opened.size <= first.byteLength) return inMemory(decodeSafetensors(first));

    const { size, version } = opened;
    const dataStart = LENGTH_BYTES + readHeaderLength(first, size);
    const fetchRange = (range: ByteRange) => readRange(this.objects, object, range, version);
    const head = dataStart <= first.byteLength ? first : await extended(first, dataStart, fetchRange);
    const entries = parseHeader(head.subarray(LENGTH_BYTES, dataStart), size);
    return new RangedReader(entries, head, fetchRange);
  }
}

type FetchRange = (range: ByteRange) => Promise<Uint8Array>;

async function extended(first: Uint8Array, end: number, fetchRange: FetchRange): Promise<Uint8Array> {
  const whole = new Uint8Array(end);
  whole.set(first);
  whole.set(await fetchRange({ start: first.byteLength, end }), first.byteLength);
  return whole;
}

class RangedReader implements TensorReader {
  constructor(
    readonly heads: ReadonlyMap<string, HeaderEntry>,
    /** The object's first bytes, which are here already. */
    private readonly first: Uint8Array,
    private readonly fetchRange: FetchRange,
  ) {}

  async read(names: readonly string[]): Promise<Map<string, RawTensor>> {
    const tensors = new Map<string, RawTensor>();
    const toFetch: [string, StoredTensor][] = [];
    for (const name of new Set(names)) {
      const entry = this.heads.get(name);
      if (entry === undefined) throw new Error(`it has no tensor '${name}'`);
      if (entry.dtype === 'string') tensors.set(name, entry);
      else if (entry.end <= this.first.byteLength) tensors.set(name, cut(entry, this.first, 0));
      else toFetch.push([name, entry]);
    }
    await inParallel(coalesce(toFetch), CONNECTIONS, async ({ range, entries }) => {
      const bytes = await this.fetchRange(range);
      for (const [name, entry] of entries) tensors.set(name, cut(entry, bytes, range.start));
    });
    return tensors;
  }
}

function cut({ dtype, shape, start, end }: StoredTensor, bytes: Uint8Array, offset: number): RawTensor {
  return { dtype, shape, bytes: bytes.subarray(start - offset, end - offset) };
}

interface CoalescedRange {
  readonly range: ByteRange;
  readonly entries: readonly [string, StoredTensor][];
}

/** One range for tensors that are next to each other or nearly so. */
function coalesce(wanted: readonly [string, StoredTensor][]): CoalescedRange[] {
  const ranges: CoalescedRange[] = [];
  for (const entry of [...wanted].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    const [, { start, end }] = entry;
    const last = ranges.at(-1);
    if (last !== undefined && start - last.range.end <= MAX_GAP_BYTES) {
      ranges[ranges.length - 1] = {
        range: { start: last.range.start, end },
        entries: [...last.entries, entry],
      };
    } else {
      ranges.push({ range: { start, end }, entries: [entry] });
    }
  }
  return ranges;
}
