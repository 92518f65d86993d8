/** Sorts rows on disk: they arrive in any order, and memory does not grow with their number. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BatchRow } from '../../contract/batch';

/** Indices of the rows in one file, which are sorted in memory. */
const BUCKET_ITEMS = 16_384;

/** Characters that are held before they are written. */
const BUFFERED = 64 * 1024;

/** A redrive may repeat a child whose items have rows already: the row that says more counts. */
const RANKS = { pending: 0, failed: 1, skipped: 2, done: 3 };

export class RowBuckets {
  private readonly buffers = new Map<number, string>();

  /** @param folder is created, and removed by `close`. A call that was killed may have left one. */
  constructor(private readonly folder: string) {
    this.close();
    fs.mkdirSync(folder, { mode: 0o700 });
  }

  add(row: BatchRow): void {
    const bucket = Math.floor(row.index / BUCKET_ITEMS);
    const text = `${this.buffers.get(bucket) ?? ''}${JSON.stringify(row)}\n`;
    const isFull = text.length > BUFFERED;
    this.buffers.set(bucket, isFull ? '' : text);
    if (isFull) fs.appendFileSync(this.fileOf(bucket), text);
  }

  /** The rows in order. Each file is removed before its rows are returned, so the disk holds a row once. */
  *rows(): Generator<BatchRow, void> {
    for (const bucket of [...this.buffers.keys()].sort((a, b) => a - b)) {
      const rows = new Map<number, BatchRow>();
      for (const row of this.take(bucket)) {
        const before = rows.get(row.index);
        if (before === undefined || RANKS[row.status] > RANKS[before.status]) rows.set(row.index, row);
      }
      yield* [...rows.values()].sort((a, b) => a.index - b.index);
    }
  }

  close(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  private take(bucket: number): BatchRow[] {
    const file = this.fileOf(bucket);
    const written = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    fs.rmSync(file, { force: true });
    const lines = `${written}${this.buffers.get(bucket) ?? ''}`.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as BatchRow);
  }

  private fileOf(bucket: number): string {
    return path.join(this.folder, String(bucket));
  }
}
