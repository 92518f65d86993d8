/** The search for results of the items of a child. */
import type { PackItem } from '../../../contract/batch-pack';
import { findResults } from '../../../lambda/batch/find';
import { identifiedItem } from '../../../lambda/batch/item-digest';
import { ResultIndex } from '../../../lambda/batch/result-index';
import { NamedFailure } from '../../../lambda/errors';
import { batchFixture, SETTINGS } from '../../support/batch-context';

const PREFIX = 'outputs/nightly/abab/';
const SOURCE = { kind: 'objects', bucket: 'pipeline', itemsBucket: 'pipeline' } as const;

function item(index: number): PackItem {
  return { index, value: { Key: `inputs/${index}`, Etag: '"1"' } };
}

let indices = 0;

/** @param results by the index of an item: the name of an object and the entry in it */
async function withIndex(results: Readonly<Record<number, readonly [name: string, entry: number]>>) {
  const fixture = batchFixture();
  const names = [...new Set(Object.values(results).map(([name]) => name))];
  const index = ResultIndex.empty(names, 20);
  for (const [of, [name, entry]] of Object.entries(results)) {
    const { digest } = await identifiedItem(SOURCE, item(Number(of)), fixture.objects);
    index.add(digest, names.indexOf(name), entry);
  }
  const key = `indices/${indices++}`;
  fixture.objects.put(key, Buffer.concat(index.encode()));
  const find = (items: readonly PackItem[]) =>
    findResults({ items, index: key, prefix: PREFIX }, fixture.context);
  const reads = (): number => fixture.objects.reads.filter((read) => read.key === key).length;
  return { ...fixture, key, find, reads };
}

it('groups the items by the objects with their results, and leaves the others in their order', async () => {
  const { find } = await withIndex({ 4: ['a', 7], 5: ['b', 0], 7: ['a', 2], 9: ['a', 0] });
  const items = [9, 8, 7, 6, 5, 4].map((index) => item(index));
  expect(await find(items)).toEqual({
    results: [
      { key: `${PREFIX}a`, items: [9, 7, 4], entries: [0, 2, 7] },
      { key: `${PREFIX}b`, items: [5], entries: [0] },
    ],
    left: [8, 6],
  });
});

it('leaves an item whose content has changed, and one that is bad, for which the first slice says why', async () => {
  const { find } = await withIndex({ 0: ['a', 0] });
  const changed = { index: 0, value: { Key: 'inputs/0', Etag: '"2"' } };
  const bad = { index: 1, value: ['inputs/0'] };
  const missing = { index: 2, value: { Key: 'inputs/missing' } };
  const items = [changed, bad, missing];
  expect(await find(items)).toEqual({ results: [], left: [0, 1, 2] });
});

it('finds the results of items that a preprocess function made requests of', async () => {
  const items = { ...SETTINGS.items, kind: 'csv', column: 'key' } as const;
  const { context, objects, put } = batchFixture({ hasPreprocess: true, items });
  const row = { index: 3, value: { key: 'inputs/a', note: 'x' } };
  put('inputs/a', 'content');
  const source = { ...SOURCE, kind: 'csv', column: 'key', hasPreprocess: true } as const;
  const index = ResultIndex.empty(['a'], 1);
  index.add((await identifiedItem(source, row, objects)).digest, 0, 0);
  put('the index', Buffer.concat(index.encode()));
  const changed = { index: 4, value: { ...row.value, note: 'y' } };
  const wanted = { items: [row, changed], index: 'the index', prefix: PREFIX };
  expect(await findResults(wanted, context)).toEqual({
    results: [{ key: `${PREFIX}a`, items: [3], entries: [0] }],
    left: [4],
    digests: { 4: (await identifiedItem(source, changed, objects)).digest },
  });
});

it('tells the digests of all items but bad ones without an index, before a preprocess function reads their objects', async () => {
  const items = { ...SETTINGS.items, kind: 'jsonLines' } as const;
  const { context, put } = batchFixture({ hasPreprocess: true, items });
  const line = (index: number) => ({ index, value: { picture: 'inputs/a' } });
  const found = async (): Promise<unknown> =>
    await findResults(
      { items: [line(0), { index: 1, value: 'bad' }, line(2)], index: '', prefix: PREFIX },
      context,
    );
  put('inputs/a', 'content');
  const before = await found();
  const digest = expect.stringMatching(/^[0-9a-f]{32}$/) as string;
  expect(before).toEqual({ results: [], left: [0, 1, 2], digests: { 0: digest, 2: digest } });
  expect(await found()).toEqual(before);
  put('inputs/a', 'changed');
  expect(await found()).not.toEqual(before);
});

it('reads the index once for all children of an execution, and that of another one anew', async () => {
  const first = await withIndex({ 0: ['a', 0] });
  await first.find([item(0)]);
  await first.find([item(1)]);
  expect(first.reads()).toBe(1);
  const second = await withIndex({ 0: ['other', 3] });
  expect((await second.find([item(0)])).results).toEqual([
    { key: `${PREFIX}other`, items: [0], entries: [3] },
  ]);
});

it('forgets an index that it could not read', async () => {
  const { find, objects, key } = await withIndex({ 0: ['a', 0] });
  const failure = new NamedFailure('StorageUnavailable', { message: 'S3 is away' });
  objects.failure = (read) => (read === key ? failure : undefined);
  await expect(find([item(0)])).rejects.toBe(failure);
  objects.failure = () => undefined;
  expect((await find([item(0)])).results).toHaveLength(1);
});

it('fails if S3 does not tell an ETag, so that nothing is done twice', async () => {
  const { find, objects } = await withIndex({ 0: ['a', 0] });
  const failure = new NamedFailure('StorageUnavailable', { message: 'S3 is away' });
  objects.put('inputs/0', Buffer.from('content'));
  objects.failure = (key) => (key === 'inputs/0' ? failure : undefined);
  await expect(find([{ index: 0, value: { Key: 'inputs/0' } }])).rejects.toBe(failure);
});
