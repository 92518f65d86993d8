/**
 * Rows in a temporary file, in the order in which they arrive, to be read in the order of their indices. In memory there are 13 bytes for
 * each item.
 */
import * as fs from 'node:fs';
import type { BatchRow } from '../../contract/batch';

/** Typed arrays are allocated before they are filled. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const MAX_ITEMS = 100_000_000;

const NONE = 0;
const RANKS = { failed: 1, skipped: 2, done: 3 };

export class RowFile {
  private offsets = new Float64Array(1024);
  private lengths = new Uint32Array(1024);
  private states = new Uint8Array(1024);
  private readonly file: number;
  private end = 0;

  constructor(private readonly path: string) {
    this.file = fs.openSync(path, 'w+', 0o600);
  }

  /** Keeps one row of each item: after a redrive, a child has a failed row, and a later one of its items that are done. */
  add(row: BatchRow): void {
    const { index } = row;
    if (!Number.isSafeInteger(index) || index < 0 || index >= MAX_ITEMS)
      throw new Error(`a row must have an index from 0 to ${MAX_ITEMS - 1}, got ${index}`);
    this.grow(index);
    const state = RANKS[row.status];
    if (state < this.states[index]) return;
    const line = Buffer.from(`${JSON.stringify(row)}\n`);
    fs.writeSync(this.file, line, 0, line.byteLength, this.end);
    this.states[index] = state;
    this.offsets[index] = this.end;
    this.lengths[index] = line.byteLength;
    this.end += line.byteLength;
  }

  /** The rows in order, each as a line of JSON. */
  *lines(): Generator<Buffer, void> {
    for (const [index, state] of this.states.entries()) {
      if (state === NONE) continue;
      const line = Buffer.alloc(this.lengths[index]);
      fs.readSync(this.file, line, 0, line.byteLength, this.offsets[index]);
      yield line;
    }
  }

  close(): void {
    fs.closeSync(this.file);
    fs.rmSync(this.path, { force: true });
  }

  private grow(index: number): void {
    let { length } = this.states;
    if (index < length) return;
    while (length <= index) length *= 2;
    const { offsets, lengths, states } = this;
    (this.offsets = new Float64Array(length)).set(offsets);
    (this.lengths = new Uint32Array(length)).set(lengths);
    (this.states = new Uint8Array(length)).set(states);
  }
}
