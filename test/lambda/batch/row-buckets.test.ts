/** Rows are sorted on disk. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BatchRow } from '../../../contract/batch';
import { RowBuckets } from '../../../lambda/batch/row-buckets';
import { seededRandom } from '../../../local/seeded-random';
import { temporaryFolder } from '../../support/temporary-folder';

const BUCKET = 16_384;

function row(index: number, status: BatchRow['status'] = 'done', item = `item ${index}`): BatchRow {
  return { index, item, status };
}

function buckets(): { readonly rows: RowBuckets; readonly folder: string } {
  const folder = path.join(temporaryFolder(), 'rows');
  return { rows: new RowBuckets(folder), folder };
}

function shuffled(indices: readonly number[]): number[] {
  const random = seededRandom(7);
  return indices
    .map((index) => [random(), index])
    .sort(([a], [b]) => a - b)
    .map(([, index]) => index);
}

it('rows that arrive in any order leave in that of their indices, each once', () => {
  const { rows } = buckets();
  const indices = Array.from({ length: 3 * BUCKET + 5 }, (_, at) => at);
  for (const index of shuffled(indices)) rows.add(row(index));
  expect([...rows.rows()].map(({ index }) => index)).toEqual(indices);
});

it('rows may be missing, also at the borders of files', () => {
  const { rows } = buckets();
  const indices = [5, BUCKET - 1, BUCKET, 2 * BUCKET, 10 * BUCKET + 1];
  for (const index of shuffled(indices)) rows.add(row(index));
  expect([...rows.rows()]).toEqual(indices.map((index) => row(index)));
});

it('of two rows of an item, the one that says more counts, and of two that say as much the first', () => {
  const order = ['pending', 'failed', 'skipped', 'done'] as const;
  for (const [low, less] of order.entries()) {
    for (const [high, more] of order.entries()) {
      const { rows } = buckets();
      rows.add(row(0, less, 'first'));
      rows.add(row(0, more, 'second'));
      expect([...rows.rows()]).toEqual([low >= high ? row(0, less, 'first') : row(0, more, 'second')]);
    }
  }
});

it('large rows are on disk and not in memory, in files that nobody else may read, until they are taken', () => {
  const { rows, folder } = buckets();
  const long = 'x'.repeat(50_000);
  for (const index of [1, 0, BUCKET + 1, BUCKET]) rows.add(row(index, 'done', long));
  expect(fs.readdirSync(folder).sort()).toEqual(['0', '1']);
  expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
  const taken = rows.rows();
  expect(taken.next().value).toEqual(row(0, 'done', long));
  expect(fs.readdirSync(folder)).toEqual(['1']);
  expect([...taken].map(({ index }) => index)).toEqual([1, BUCKET, BUCKET + 1]);
  expect(fs.readdirSync(folder)).toEqual([]);
});

it('closing removes what was not taken', () => {
  const { rows, folder } = buckets();
  rows.add(row(0, 'done', 'x'.repeat(70_000)));
  rows.close();
  expect(fs.existsSync(folder)).toBe(false);
  rows.close();
});
