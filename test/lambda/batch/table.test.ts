/** The table of a batch, and how the batch ends. */
import fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Writable } from 'node:stream';
import type { BatchRow } from '../../../contract/batch';
import type { BatchSettings, ChildResult, TableToWrite } from '../../../contract/batch-function';
import { writeTable } from '../../../lambda/batch/table';
import { batchFixture } from '../../support/batch-context';

const FOLDER = 'outputs/nightly/map-runs/night/';
const MANIFEST = `${FOLDER}0f0e/manifest.json`;
const TABLE = 'outputs/nightly/tables/night.jsonl';
const WANTED: TableToWrite = { execution: 'night', location: 'inputs/docs/', manifest: MANIFEST };
const MAP_FAILED = { Error: 'States.ItemReaderFailed', Cause: '{"errorMessage":"cannot read the list"}' };
const WITHOUT_MANIFEST: TableToWrite = { ...WANTED, manifest: undefined, failure: MAP_FAILED };

type Status = BatchRow['status'];

/** What the result writer says about children, each of which has items that ended so. */
type Children = readonly (readonly Status[])[];

/** A batch whose map has ended, with a file of the result writer for children that succeeded, and one for others. */
function endedBatch(children: Children, settings: Partial<BatchSettings> = {}) {
  const fixture = batchFixture(settings);
  const files: Record<string, object[]> = { SUCCEEDED: [], FAILED: [], PENDING: [] };
  let next = 0;
  for (const [child, statuses] of children.entries()) {
    const items = statuses.map((status) => ({ status, index: next++ }));
    const Items = items.map(({ index }) => ({ index, value: { Key: `inputs/docs/${index}` } }));
    const of = (wanted: Status) => items.filter(({ status }) => status === wanted).map(({ index }) => index);
    const calls = [{ slice: 0, mbMs: 1000 }];
    const results: ChildResult[] = [
      { key: `done ${child}`, items: of('done'), ms: 10, calls },
      { key: `skipped ${child}`, items: of('skipped') },
    ].filter((result) => result.items.length > 0);
    const failures = `failures/${child}`;
    fixture.put(failures, JSON.stringify([{ items: of('failed'), error: 'InvalidInput', message: 'bad' }]));
    const Output = JSON.stringify({ results, failures });
    files.SUCCEEDED.push({ Status: 'SUCCEEDED', Input: JSON.stringify({ Items }), Output });
  }
  const write = (): void => {
    const named = Object.entries(files).map(([status, records]) => {
      const Key = `${FOLDER}0f0e/${status}_0.json`;
      fixture.put(Key, JSON.stringify(records));
      return [status, records.length === 0 ? [] : [{ Key, Size: 1 }]];
    });
    fixture.put(
      MANIFEST,
      JSON.stringify({ MapRunArn: 'x', ResultFiles: Object.fromEntries(named) as object }),
    );
  };
  write();
  /** Adds a child that did not succeed. */
  const add = (Status: string, count: number, more: object = {}): void => {
    const indices = Array.from({ length: count }, () => next++);
    const Items = indices.map((index) => ({ index, value: { Key: `inputs/docs/${index}` } }));
    const file = Status === 'PENDING' ? 'PENDING' : 'FAILED';
    files[file].push({ Status, Input: JSON.stringify({ Items }), ...more });
    write();
  };
  const table = (): BatchRow[] => {
    const lines = fixture.text(TABLE).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as BatchRow);
  };
  return { ...fixture, add, table };
}

/** What a call writes to disk. */
const ON_DISK = path.join(os.tmpdir(), 'table');

it('has the rows of all children in the order of the items, whether or not these succeeded', async () => {
  const { context, add, table } = endedBatch([
    ['done', 'failed'],
    ['skipped', 'done', 'pending'],
  ]);
  add('FAILED', 1, { Error: 'E', Cause: 'why' });
  add('PENDING', 2);
  await expect(writeTable(WANTED, context)).rejects.toMatchObject({ name: 'ItemsPending' });
  expect(table().map(({ index, item, status }) => [index, item, status])).toEqual(
    ['done', 'failed', 'skipped', 'done', 'pending', 'failed', 'pending', 'pending'].map((status, index) => [
      index,
      `inputs/docs/${index}`,
      status,
    ]),
  );
  expect(table()[5].failure).toEqual({ error: 'E', message: 'why' });
  expect(fs.existsSync(ON_DISK)).toBe(false);
});

it('adds the items of children that failed as a whole to the metric, because these reported none', async () => {
  const { context, add, lines } = endedBatch([['done', 'failed']]);
  add('FAILED', 3, { Error: 'E', Cause: 'why' });
  add('PENDING', 2);
  await expect(writeTable(WANTED, context)).rejects.toMatchObject({ name: 'ItemsPending' });
  expect(lines).toMatchObject([{ FailedItems: 3, execution: 'night' }]);
});

it('reads the failures of several children at once, because a table of many children has 15 minutes', async () => {
  const { context, objects, table } = endedBatch(Array<Status[]>(64).fill(['failed', 'done']));
  const get = objects.get.bind(objects);
  let [now, most] = [0, 0];
  objects.get = async (...read) => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    return await get(...read).finally(() => now--);
  };
  await writeTable(WANTED, context);
  expect(most).toBeGreaterThanOrEqual(16);
  expect(most).toBeLessThanOrEqual(18);
  expect(table().map(({ index }) => index)).toEqual(Array.from({ length: 128 }, (_, index) => index));
});

it('answers the account of a batch that has succeeded', async () => {
  const { context } = endedBatch([['done', 'failed', 'done'], ['skipped']]);
  expect(await writeTable(WANTED, context)).toEqual({
    version: 1,
    deploymentDigest: 'ab'.repeat(32),
    table: { bucket: 'pipeline', key: TABLE },
    items: { total: 4, done: 2, skipped: 1, failed: 1, pending: 0 },
    failures: [{ error: 'InvalidInput', message: 'bad', item: 'inputs/docs/1', count: 1 }],
    milliseconds: 10,
    runs: 1,
    usage: [{ slice: 0, calls: 1, mbMs: 1000 }],
  });
  expect(fs.existsSync(ON_DISK)).toBe(false);
});

it('is written again by a retry', async () => {
  const { context, table } = endedBatch([['done']]);
  await writeTable(WANTED, context);
  await writeTable(WANTED, context);
  expect(table()).toHaveLength(1);
});

it('has nothing of what a killed call has left on the disk', async () => {
  const { context, table } = endedBatch([['done']]);
  fs.mkdirSync(ON_DISK);
  fs.writeFileSync(path.join(ON_DISK, '0'), `${JSON.stringify({ index: 7, item: 'x', status: 'done' })}\n`);
  fs.writeFileSync(path.join(ON_DISK, 'table.jsonl'), 'x'.repeat(1000));
  await writeTable(WANTED, context);
  expect(table()).toMatchObject([{ index: 0, status: 'done' }]);
  expect(fs.existsSync(ON_DISK)).toBe(false);
});

describe('a map that has failed', () => {
  it('has a table of what the result writer has written, and the name of the fault', async () => {
    const { context, add, table } = endedBatch([['done']]);
    add('PENDING', 2);
    await expect(writeTable(WITHOUT_MANIFEST, context)).rejects.toMatchObject({
      name: 'States.ItemReaderFailed',
      message: `cannot read the list: the table ${TABLE} has 3 items, 2 of them pending: start the batch again: it repeats only these`,
    });
    expect(table().map(({ status }) => status)).toEqual(['done', 'pending', 'pending']);
  });

  it('has none if the result writer has written nothing', async () => {
    const { context, objects } = batchFixture();
    await expect(writeTable(WITHOUT_MANIFEST, context)).rejects.toMatchObject({
      name: 'States.ItemReaderFailed',
      message: 'cannot read the list: there is no table: start the batch again: it repeats only these',
    });
    expect(objects.keys()).toEqual([]);
  });

  it('has no rows of another execution whose name begins the same', async () => {
    const { context } = endedBatch([['done']]);
    const other = { ...WITHOUT_MANIFEST, execution: 'nigh' };
    await expect(writeTable(other, context)).rejects.toThrow('there is no table');
  });
});

it('of no items is not written, and the batch fails with the place', async () => {
  const { context, objects } = endedBatch([]);
  await expect(writeTable(WANTED, context)).rejects.toMatchObject({
    name: 'NoItems',
    message:
      'a batch must have items, got none in s3://pipeline/inputs/docs/: check the place, and start the batch again',
  });
  expect(objects.keys()).not.toContain(TABLE);
});

describe('a batch of which items failed', () => {
  const failed = (count: number, total: number): Children => [
    Array.from({ length: total }, (_, at) => (at < count ? 'failed' : 'done')),
  ];

  it.each<[number, number, Partial<BatchSettings>, boolean]>([
    [9, 10, {}, true],
    [10, 10, {}, false],
    [1, 1, { toleratedFailures: 5 }, false],
    [0, 10, { toleratedFailures: 0 }, true],
    [1, 10, { toleratedFailures: 0 }, false],
    [2, 10, { toleratedFailures: 2 }, true],
    [3, 10, { toleratedFailures: 2 }, false],
    [0, 10, { toleratedFailurePercentage: 0 }, true],
    [1, 10, { toleratedFailurePercentage: 0 }, false],
    [1, 10, { toleratedFailurePercentage: 10 }, true],
    [2, 10, { toleratedFailurePercentage: 10 }, false],
    [1, 8, { toleratedFailurePercentage: 12.5 }, true],
    [1, 8, { toleratedFailurePercentage: 12.4 }, false],
    [3, 10, { toleratedFailures: 3, toleratedFailurePercentage: 20 }, false],
    [3, 10, { toleratedFailures: 2, toleratedFailurePercentage: 30 }, false],
    [3, 10, { toleratedFailures: 3, toleratedFailurePercentage: 30 }, true],
  ])('%d of %d, with %j, succeeds: %s', async (count, total, settings, succeeds) => {
    const { context, table } = endedBatch(failed(count, total), settings);
    const ended = await writeTable(WANTED, context).then(
      () => undefined,
      (error: unknown) => (error as Error).name,
    );
    expect(ended).toBe(succeeds ? undefined : 'TooManyFailures');
    expect(table()).toHaveLength(total);
  });

  it('says how many, the first reasons and where the table is', async () => {
    const { context, add } = endedBatch(failed(2, 3), { toleratedFailures: 1 });
    for (const error of ['A', 'B', 'C']) add('FAILED', error === 'C' ? 1 : 3, { Error: error, Cause: 'why' });
    await expect(writeTable(WANTED, context)).rejects.toThrow(
      `9 of 10 items failed, and the batch tolerates fewer: 3 with A: why; 3 with B: why; 2 with InvalidInput: bad: the table ${TABLE} has all: start the batch again: it repeats only these`,
    );
  });

  it('has too many failures also if others are pending', async () => {
    const { context } = endedBatch([['failed', 'pending']], { toleratedFailures: 0 });
    await expect(writeTable(WANTED, context)).rejects.toMatchObject({ name: 'TooManyFailures' });
  });
});

it('of a batch with pending items is written, and the batch fails', async () => {
  const { context, table } = endedBatch([
    ['done', 'pending'],
    ['failed', 'pending'],
  ]);
  await expect(writeTable(WANTED, context)).rejects.toMatchObject({
    name: 'ItemsPending',
    message: `all items must run, got 2 of 4 that did not, because their runs took too long: the table ${TABLE} has their names: start the batch again: it repeats only these`,
  });
  expect(table()).toHaveLength(4);
  const { context: ofOne } = endedBatch([['done', 'pending']]);
  await expect(writeTable(WANTED, ofOne)).rejects.toMatchObject({ name: 'ItemsPending' });
});

it('that does not fit on the disk says what to do', async () => {
  const { context, objects } = endedBatch([['done']]);
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  const write = (_chunk: unknown, _encoding: string, done: (error: Error) => void): void => {
    done(full);
  };
  const opened = jest.spyOn(fs, 'createWriteStream');
  opened.mockReturnValue(new Writable({ write }) as unknown as fs.WriteStream);
  await expect(writeTable(WANTED, context)).rejects.toMatchObject({
    name: 'TableTooLarge',
    message:
      'the table must fit on the disk of the function, got no space left: start several batches, each with a part of the items',
  });
  opened.mockRestore();
  expect(objects.keys()).not.toContain(TABLE);
  expect(fs.existsSync(ON_DISK)).toBe(false);
});
