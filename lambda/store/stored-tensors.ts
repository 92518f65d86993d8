/**
 * Reads the tensors of one object whose first part is already being downloaded. Tensors in that part are copied from its
 * stream; the others are fetched in parallel. So most reads wait for the latency of one request only.
 */
import { tensorNamed, type RawTensor, type TensorHead } from '../tensors/tensor';
import { ChecksumMismatch, checkTensor } from '../tensors/checksums';
import type { HeaderEntry, StoredTensor } from '../tensors/safetensors-header';
import { allDone, CONNECTIONS, inParallel } from './ranged-read';
import type { ByteRange } from './object-store';
import { release } from './release';

/** Tensors whose names, types and shapes are known before their elements are read. Call `read` or `discard`, once. */
export interface TensorReader {
  readonly heads: ReadonlyMap<string, TensorHead>;
  /** ETag of the request's object: of this object, or of the one from which the tensors were computed. */
  readonly requestEtag?: string;
  /** @param names of `heads` */
  read(names: readonly string[]): Promise<Map<string, RawTensor>>;
  discard(): Promise<void>;
}

export function inMemory(tensors: ReadonlyMap<string, RawTensor>): TensorReader {
  return {
    heads: tensors,
    read: (names) => Promise.resolve(new Map(names.map((name) => [name, tensorNamed(tensors, name)]))),
    discard: () => Promise.resolve(),
  };
}

/** Reading this many unneeded bytes costs less than the latency of another request, or than a closed connection. */
export const MAX_GAP_BYTES = 256 * 1024;

/**
 * A header or a tensor without its checksum is read this often. The network is to blame for most damage, and another
 * connection for hardly any; if the object itself is damaged, nothing helps.
 */
export const READ_ATTEMPTS = 3;

export type FetchRange = (range: ByteRange, target: Uint8Array) => Promise<void>;

type NamedEntry = readonly [name: string, entry: StoredTensor];

export class StoredTensors implements TensorReader {
  constructor(
    readonly heads: ReadonlyMap<string, HeaderEntry>,
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
      const entry = tensorNamed(this.heads, name);
      if (entry.dtype === 'string') tensors.set(name, entry);
      else stored.push([name, entry]);
    }
    const inOrder = stored.sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
    const streamed = inOrder.slice(0, this.countToStream(inOrder));
    const targets = new Map(streamed.map(([name, { start, end }]) => [name, unfilled(end - start)] as const));
    const remainders = streamed.flatMap(([name, { start, end }]) => {
      const target = targets.get(name);
      if (target === undefined || end <= this.firstBytes) return [];
      const range = { start: Math.max(start, this.firstBytes), end };
      return [() => this.fetchRange(range, target.subarray(range.start - start))];
    });
    const others = coalesce(inOrder.slice(streamed.length)).map(({ range, entries }) => async () => {
      const bytes = unfilled(range.end - range.start);
      await this.fetchRange(range, bytes);
      for (const [name, entry] of entries) {
        const { dtype, shape, start, end } = entry;
        tensors.set(name, { dtype, shape, bytes: bytes.subarray(start - range.start, end - range.start) });
      }
    });
    await allDone([
      this.stream(streamed, targets),
      inParallel([...remainders, ...others], CONNECTIONS, (fetch) => fetch()),
    ]);
    for (const [name, { dtype, shape }] of streamed) {
      tensors.set(name, { dtype, shape, bytes: targets.get(name) ?? unfilled(0) });
    }
    for (const entry of inOrder) await this.verify(entry, tensorNamed(tensors, entry[0]));
    return tensors;
  }

  private async verify([name, entry]: NamedEntry, tensor: RawTensor): Promise<void> {
    if (tensor.dtype === 'string') return;
    for (let attempt = 1; ; attempt++) {
      try {
        checkTensor(name, entry, tensor.bytes);
        return;
      } catch (error) {
        if (attempt === READ_ATTEMPTS || !(error instanceof ChecksumMismatch)) throw error;
      }
      await this.fetchRange(entry, tensor.bytes);
    }
  }

  private countToStream(inOrder: readonly NamedEntry[]): number {
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

/** A buffer that is not from Node's pool, whose offsets would break the alignment, and not zeroed. */
function unfilled(bytes: number): Uint8Array {
  return Buffer.allocUnsafeSlow(bytes);
}

/** The ranges from the first to the last of tensors that lie close to each other. */
function coalesce(inOrder: readonly NamedEntry[]) {
  const groups: NamedEntry[][] = [];
  let end = -Infinity;
  for (const entry of inOrder) {
    // Not a new list for each tensor: a file may have a million of them.
    if (entry[1].start - end <= MAX_GAP_BYTES) groups.at(-1)?.push(entry);
    else groups.push([entry]);
    end = entry[1].end;
  }
  return groups.map((entries) => {
    const [[, { start }]] = entries;
    return { range: { start, end: entries[entries.length - 1][1].end }, entries };
  });
}

/** Reads a stream of bytes once, into the caller's buffers, and frees each chunk of the stream after use. */
export class ByteCursor {
  private chunk: Uint8Array = new Uint8Array(0);
  private rest = this.chunk;
  private position = 0;

  constructor(private readonly chunks: AsyncGenerator<Uint8Array, void>) {}

  get at(): number {
    return this.position;
  }

  async fill(target: Uint8Array): Promise<void> {
    for (let filled = 0; filled < target.byteLength;) {
      const piece = await this.next(target.byteLength - filled);
      target.set(piece, filled);
      filled += piece.byteLength;
    }
  }

  async skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0;) left -= (await this.next(left)).byteLength;
  }

  /**
   * Reads the end of the stream, because a connection is reused only after its response was read to the end.
   * @throws Error if the stream has more bytes
   */
  async finish(): Promise<void> {
    const { done } = await this.chunks.next();
    if (done !== true) throw new Error(`the stream must end at byte ${this.position}, got more bytes`);
  }

  /** Closes the stream. If a connection's response was not read to its end, this closes the connection too. */
  async close(): Promise<void> {
    release(this.chunk);
    await this.chunks.return();
  }

  /** Returns the next available bytes, at most `limit`. They are valid until the next call. */
  private async next(limit: number): Promise<Uint8Array> {
    while (this.rest.byteLength === 0) {
      release(this.chunk);
      const result = await this.chunks.next();
      if (result.done === true) throw new Error(`the stream ended at byte ${this.position}`);
      this.chunk = result.value;
      this.rest = this.chunk;
    }
    const piece = this.rest.subarray(0, limit);
    this.rest = this.rest.subarray(piece.byteLength);
    this.position += piece.byteLength;
    return piece;
  }
}
