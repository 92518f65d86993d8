/**
 * The tensors of one object, whose first part is on its way: those that lie in it are taken from it as it comes, the
 * others are fetched beside it. So most reads wait for one request's latency.
 */
import type { HeaderEntry, StoredTensor } from '../tensors/safetensors-header';
import type { RawTensor } from '../tensors/tensor';
import { allDone } from './all-done';
import type { ByteCursor } from './byte-cursor';
import type { ByteRange } from './object-store';
import { CONNECTIONS, inParallel } from './ranged-read';
import type { TensorReader } from './tensor-reader';

/** Reading so many unneeded bytes costs less than another request's latency, or than a connection that is cut off. */
export const MAX_GAP_BYTES = 256 * 1024;

/** Fetches a range into a buffer of its size. */
export type FetchRange = (range: ByteRange, target: Uint8Array) => Promise<void>;

type NamedEntry = readonly [name: string, entry: StoredTensor];

export class StoredTensors implements TensorReader {
  constructor(
    readonly heads: ReadonlyMap<string, HeaderEntry>,
    /** The object's first part, behind the header. */
    private readonly first: ByteCursor,
    private readonly firstBytes: number,
    private readonly fetchRange: FetchRange,
  ) {}

  async discard(): Promise<void> {
    await this.first.close();
  }

  async read(names: readonly string[]): Promise<Map<string, RawTensor>> {
    const tensors = new Map<string, RawTensor>();
    const stored: NamedEntry[] = [];
    for (const name of new Set(names)) {
      const entry = this.heads.get(name);
      if (entry === undefined) {
        await this.first.close();
        throw new Error(`it has no tensor '${name}'`);
      }
      if (entry.dtype === 'string') tensors.set(name, entry);
      else stored.push([name, entry]);
    }
    const inOrder = stored.sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
    const streamed = inOrder.slice(0, this.reachable(inOrder));
    const targets = new Map(streamed.map(([name, { start, end }]) => [name, unfilled(end - start)] as const));
    const rests = streamed.flatMap(([name, { start, end }]) => {
      const target = targets.get(name);
      if (target === undefined || end <= this.firstBytes) return [];
      const range = { start: Math.max(start, this.firstBytes), end };
      return [() => this.fetchRange(range, target.subarray(range.start - start))];
    });
    const others = coalesce(inOrder.slice(streamed.length)).map(({ range, entries }) => async () => {
      const bytes = unfilled(range.end - range.start);
      await this.fetchRange(range, bytes);
      for (const [name, entry] of entries) tensors.set(name, cut(entry, bytes, range.start));
    });
    await allDone([
      this.stream(streamed, targets),
      inParallel([...rests, ...others], CONNECTIONS, (fetch) => fetch()),
    ]);
    for (const [name, { dtype, shape }] of streamed) {
      tensors.set(name, { dtype, shape, bytes: targets.get(name) ?? unfilled(0) });
    }
    return tensors;
  }

  /** How many of the tensors are best taken from the first part. */
  private reachable(inOrder: readonly NamedEntry[]): number {
    let at = this.first.at;
    const beyond = inOrder.findIndex(([, { start, end }]) => {
      const isFar = start >= this.firstBytes || start - at > MAX_GAP_BYTES;
      at = end;
      return isFar;
    });
    return beyond < 0 ? inOrder.length : beyond;
  }

  private async stream(
    entries: readonly NamedEntry[],
    targets: ReadonlyMap<string, Uint8Array>,
  ): Promise<void> {
    try {
      for (const [name, { start }] of entries) {
        await this.first.skip(start - this.first.at);
        const target = targets.get(name) ?? unfilled(0);
        await this.first.fill(target.subarray(0, this.firstBytes - start));
      }
      const left = this.firstBytes - this.first.at;
      if (left > MAX_GAP_BYTES) return;
      await this.first.skip(left);
      await this.first.finish();
    } finally {
      await this.first.close();
    }
  }
}

/** Not from Node's pool, whose offsets would break the alignment, and not filled with zeros first. */
function unfilled(bytes: number): Uint8Array {
  return Buffer.allocUnsafeSlow(bytes);
}

function cut({ dtype, shape, start, end }: StoredTensor, bytes: Uint8Array, offset: number): RawTensor {
  return { dtype, shape, bytes: bytes.subarray(start - offset, end - offset) };
}

interface CoalescedRange {
  readonly range: ByteRange;
  readonly entries: readonly NamedEntry[];
}

/** One range for tensors that are next to each other or nearly so. */
function coalesce(inOrder: readonly NamedEntry[]): CoalescedRange[] {
  const ranges: CoalescedRange[] = [];
  for (const entry of inOrder) {
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
