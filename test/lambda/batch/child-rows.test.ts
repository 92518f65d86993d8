/** The rows of the items of a child, by what the result writer of Step Functions says about it. */
import type { BatchSettings, ChildOutput } from '../../../contract/batch-function';
import type { PackItem } from '../../../contract/batch-pack';
import { type ChildRecord, finishedChild } from '../../../lambda/batch/child-rows';
import { NamedFailure } from '../../../lambda/errors';
import { answersFile, batchFixture } from '../../support/batch-context';

const ITEMS = [3, 4, 5, 6].map((index): PackItem => ({ index, value: { Key: `inputs/${index}`, Size: 1 } }));
const CALL = { mbMs: 7, processor: 'arm64' };

function succeeded(output: Partial<ChildOutput>, Items: readonly PackItem[] = ITEMS): ChildRecord {
  const Output = JSON.stringify({ results: [], failures: '', ...output });
  return { Status: 'SUCCEEDED', Input: JSON.stringify({ Items }), Output };
}

function ended(Status: string, more: Partial<ChildRecord> = {}): ChildRecord {
  return { Status, Input: JSON.stringify({ Items: ITEMS }), ...more };
}

async function rowsOf(child: ChildRecord, settings: Partial<BatchSettings> = {}) {
  return (await finishedChild(child, batchFixture(settings).context)).rows;
}

it('are done, skipped, failed or pending, in the order of the items', async () => {
  const { context, put } = batchFixture();
  put('the failures', JSON.stringify([{ items: [5], error: 'InvalidInput', message: 'no request' }]));
  const results = [
    { key: 'old', items: [3], entries: [9] },
    { key: 'new', items: [6], ms: 100, calls: [{ slice: 0, ...CALL }] },
  ];
  const child = await finishedChild(succeeded({ results, failures: 'the failures' }), context);
  expect(child.rows).toEqual([
    { index: 3, item: 'inputs/3', status: 'skipped', result: { key: 'old', entry: 9 } },
    { index: 4, item: 'inputs/4', status: 'pending' },
    {
      ...{ index: 5, item: 'inputs/5', status: 'failed' },
      failure: { error: 'InvalidInput', message: 'no request' },
    },
    {
      ...{ index: 6, item: 'inputs/6', status: 'done', result: { key: 'new', entry: 0 } },
      ...{ ms: 100, processors: ['arm64'] },
    },
  ]);
  expect(child.results).toEqual(results);
});

it('have the entries of their results in the order of these, an equal share of the time, and all processors', async () => {
  const calls = [
    { slice: 0, ...CALL },
    { slice: 1, mbMs: 1, processor: 'x86_64' },
    { slice: 2, ...CALL },
    { slice: 3, mbMs: 1 },
  ];
  const rows = await rowsOf(succeeded({ results: [{ key: 'k', items: [6, 3, 5], ms: 100, calls }] }));
  const [status, ms, processors] = ['done', 33, ['arm64', 'x86_64']];
  expect(rows).toMatchObject([
    { index: 3, status, result: { key: 'k', entry: 1 }, ms, processors },
    { index: 4, status: 'pending' },
    { index: 5, status, result: { key: 'k', entry: 2 }, ms, processors },
    { index: 6, status, result: { key: 'k', entry: 0 }, ms, processors },
  ]);
});

it('share the time of their run, also if the answers of a function are in several objects', async () => {
  const results = [
    { key: 'run 1', items: [3], ms: 50, calls: [{ slice: 0, ...CALL }] },
    { key: 'run 2', items: [4, 5], ms: 90, calls: [{ slice: 0, ...CALL, processor: 'x86_64' }] },
    { key: 'run 2, rest', items: [6], ms: 30, calls: [] },
  ];
  expect(await rowsOf(succeeded({ results }))).toMatchObject([
    { result: { key: 'run 1', entry: 0 }, ms: 50, processors: ['arm64'] },
    { result: { key: 'run 2', entry: 0 }, ms: 40, processors: ['x86_64'] },
    { result: { key: 'run 2', entry: 1 }, ms: 40, processors: ['x86_64'] },
    { result: { key: 'run 2, rest', entry: 0 }, ms: 40, processors: ['x86_64'] },
  ]);
});

it('are done if an item failed in a pack that was halved, and then had a result', async () => {
  const { context, put } = batchFixture();
  put('the failures', JSON.stringify([{ items: [3], error: 'E', message: 'm' }]));
  const results = [{ key: 'k', items: [3], ms: 1, calls: [] }];
  const { rows } = await finishedChild(succeeded({ results, failures: 'the failures' }), context);
  expect(rows[0]).toMatchObject({ index: 3, status: 'done' });
  expect(rows[0].failure).toBeUndefined();
});

it.each(['FAILED', 'TIMED_OUT'])('of a child that has %s are failed with its reason', async (status) => {
  const cause = JSON.stringify({ errorMessage: 'the reason' });
  const rows = await rowsOf(ended(status, { Error: 'States.DataLimitExceeded', Cause: cause }));
  const failure = { error: 'States.DataLimitExceeded', message: 'the reason' };
  expect(rows).toEqual(
    ITEMS.map(({ index }) => ({ index, item: `inputs/${index}`, status: 'failed', failure })),
  );
});

it('of a child that has timed out without a word say so', async () => {
  const failure = { error: 'TIMED_OUT', message: 'the run failed without a reason' };
  expect((await rowsOf(ended('TIMED_OUT')))[0]).toMatchObject({ status: 'failed', failure });
});

it.each(['PENDING', 'ABORTED'])('of a child that is %s are pending', async (status) => {
  expect(await rowsOf(ended(status))).toEqual(
    ITEMS.map(({ index }) => ({ index, item: `inputs/${index}`, status: 'pending' })),
  );
});

it('leave out folders', async () => {
  const folder = { index: 2, value: { Key: 'inputs/', Size: 0 } };
  const rows = await rowsOf(succeeded({}, [folder, ITEMS[0]]));
  expect(rows.map(({ index }) => index)).toEqual([3]);
  const failed = ended('FAILED', { Input: JSON.stringify({ Items: [folder, ITEMS[1]] }) });
  expect((await rowsOf(failed)).map(({ index }) => index)).toEqual([4]);
});

it('of rows of CSV are named by the column', async () => {
  const items = { kind: 'csv', bucket: 'b', location: 'l/x', folder: 'l/', column: 'key' } as const;
  const Items = [{ index: 0, value: { '\ufeffkey': 'inputs/a', id: 'x' } }];
  expect((await rowsOf(succeeded({}, Items), { items }))[0].item).toBe('inputs/a');
});

describe('with a postprocess function', () => {
  const POSTPROCESSED = { hasPostprocess: true };
  const results = [{ key: 'lines', items: [3, 4, 5], entries: [2, 0, 1] }];

  it('have the answers, but for those above 4 KiB, which are in the object only', async () => {
    const { context, put } = batchFixture(POSTPROCESSED);
    const outputs = ['x'.repeat(4094), 'x'.repeat(4095), { label: null }];
    put('lines', answersFile(outputs.map((output) => ({ digest: 'd', output }))));
    const { rows } = await finishedChild(succeeded({ results }), context);
    expect(rows.map(({ output }) => output)).toEqual([{ label: null }, outputs[0], undefined, undefined]);
    expect(rows.map(({ result }) => result?.entry)).toEqual([2, 0, 1, undefined]);
  });

  it('have none if the object is gone, but their results', async () => {
    const rows = await rowsOf(succeeded({ results }), POSTPROCESSED);
    expect(rows[0]).toEqual({
      ...{ index: 3, item: 'inputs/3', status: 'skipped' },
      result: { key: 'lines', entry: 2 },
    });
  });

  it('fail if S3 fails', async () => {
    const { context, put, objects } = batchFixture(POSTPROCESSED);
    put('lines', answersFile([]));
    objects.failure = () => new NamedFailure('StorageUnavailable', { message: 'S3 is away' });
    await expect(finishedChild(succeeded({ results }), context)).rejects.toThrow('S3 is away');
  });

  it('read no object of tensors without one', async () => {
    const { context, objects } = batchFixture();
    await finishedChild(succeeded({ results }), context);
    expect(objects.reads).toEqual([]);
  });
});
