/**
 * Reads the tensors of one object whose first part is already being downloaded. Tensors in that part are copied from its
 * stream; the others are fetched in parallel. So most reads wait for the latency of one request only.
 */
import { type ByteRange, type Neighbors, MAX_GAP_BYTES, readsOf } from '../../contract/object-reads';
import { tensorNamed, type RawTensor, type TensorHead } from '../tensors/tensor';
import { ChecksumMismatch, checkTensor } from '../tensors/checksums';
import type { HeaderEntry, StoredTensor } from '../tensors/safetensors-header';
import { allDone, CONNECTIONS, inParallel } from './ranged-read';
import { release } from './release';

/** Tensors whose names, types and shapes are known before their elements are read. Call `read` or `discard`, once. */
export interface TensorReader {
  readonly heads: ReadonlyMap<string, TensorHead>;
  /** ETag of the request's object: of this object, or of the one from which the tensors were computed. */
  readonly requestEtag?: string;
  /** The JSON that says which items of a batch the object has. */
  readonly pack?: string;
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
    const places = inOrder.map(([, entry]) => entry);
    const { streamed, rest, others } = readsOf(places, this.first.at, this.firstBytes);
    const [near, ...far] = [streamed, ...others].map((range) => range && filledBy(range));
    const remainder = near &&
      rest && { range: rest, bytes: near.bytes.subarray(rest.start - near.range.start) };
    const fetched = [remainder, ...far].filter((each) => each !== undefined);
    await allDone([
      this.stream(near),
      inParallel(fetched, CONNECTIONS, ({ range, bytes }) => this.fetchRange(range, bytes)),
    ]);
    let next = 0;
    for (const group of [near, ...far]) {
      if (group === undefined) continue;
      const { range, bytes: all } = group;
      for (const [name, { dtype, shape, start, end }] of inOrder.slice(next, (next += range.count)))
        tensors.set(name, { dtype, shape, bytes: all.subarray(start - range.start, end - range.start) });
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

  private async stream(near?: ReturnType<typeof filledBy>): Promise<void> {
    try {
      if (near !== undefined) {
        await this.first.skip(near.range.start - this.first.at);
        await this.first.fill(near.bytes.subarray(0, this.firstBytes - near.range.start));
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

/** A range, and the buffer for its bytes: not from Node's pool, whose offsets would break the alignment, and not zeroed. */
function filledBy(range: Neighbors) {
  return { range, bytes: Buffer.allocUnsafeSlow(range.end - range.start) };
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
