/**
 * Rows in a temporary file, in the order in which they arrive, to be read in the order of their indices. In memory there are 13 bytes for
 * each item.
 */
import { open, rm, type FileHandle } from 'node:fs/promises';
import type { BatchRow } from '../../contract/batch';

const INITIAL_ITEMS = 1024;
const BUFFER_BYTES = 1024 * 1024;

/** A Step Functions map run has at most 100 million items, and typed arrays are allocated before they are filled. */
const MAX_ITEMS = 100_000_000;

const NONE = 0;
const FAILED = 1;
const DONE = 2;

export class RowFile {
  private offsets = new Float64Array(INITIAL_ITEMS);
  private lengths = new Uint32Array(INITIAL_ITEMS);
  private states = new Uint8Array(INITIAL_ITEMS);
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private end = 0;
  private count = 0;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  static async create(path: string): Promise<RowFile> {
    return new RowFile(path, await open(path, 'w+', 0o600));
  }

  /** Keeps one row of each item: after a redrive, a child has a failed row, and a later one of its items that are done. */
  async add(row: BatchRow): Promise<void> {
    const { index } = row;
    if (!Number.isSafeInteger(index) || index < 0 || index >= MAX_ITEMS)
      throw new Error(`a row must have an index from 0 to ${MAX_ITEMS - 1}, got ${index}`);
    this.grow(index);
    const state = row.status === 'failed' ? FAILED : DONE;
    if (state < this.states[index]) return;
    const line = Buffer.from(`${JSON.stringify(row)}\n`);
    this.states[index] = state;
    this.offsets[index] = this.end;
    this.lengths[index] = line.byteLength;
    this.count = Math.max(this.count, index + 1);
    this.end += line.byteLength;
    this.pending.push(line);
    this.pendingBytes += line.byteLength;
    if (this.pendingBytes >= BUFFER_BYTES) await this.flush();
  }

  /** The rows in order, each as a line of JSON. */
  async *lines(): AsyncGenerator<Buffer, void> {
    await this.flush();
    let window: Buffer = Buffer.alloc(0);
    let from = 0;
    for (let index = 0; index < this.count; index++) {
      if (this.states[index] === NONE) continue;
      const [offset, length] = [this.offsets[index], this.lengths[index]];
      if (offset < from || offset + length > from + window.byteLength) {
        // Rows of one child lie together, so most rows are in the window.
        const size = Math.max(length, Math.min(READ_BYTES, this.end - offset));
        window = Buffer.alloc(size);
        from = offset;
        await this.file.read(window, 0, size, offset);
      }
      yield window.subarray(offset - from, offset - from + length);
    }
  }

  async close(): Promise<void> {
    await this.file.close();
    await rm(this.path, { force: true });
  }

  private async flush(): Promise<void> {
    if (this.pendingBytes === 0) return;
    const bytes = Buffer.concat(this.pending);
    await this.file.write(bytes, 0, bytes.byteLength, this.end - this.pendingBytes);
    this.pending = [];
    this.pendingBytes = 0;
  }

  private grow(index: number): void {
    let { length } = this.states;
    if (index < length) return;
    while (length <= index) length *= 2;
    const [offsets, lengths, states] = [this.offsets, this.lengths, this.states];
    (this.offsets = new Float64Array(length)).set(offsets);
    (this.lengths = new Uint32Array(length)).set(lengths);
    (this.states = new Uint8Array(length)).set(states);
  }
}

const READ_BYTES = 64 * 1024;
