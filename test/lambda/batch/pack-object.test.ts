/** What slices before have computed for a pack is read from their objects. */
import type { SliceEntries } from '../../../contract/batch-pack';
import { sliceObjectKey } from '../../../contract/keys';
import type { SourcedTensor } from '../../../contract/slice-manifest';
import {
  gatherPack,
  metadataOf,
  resultDigests,
  tensorsOfEntries,
  type NamedTensors,
} from '../../../lambda/batch/pack-object';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { digest } from '../../support/batch-context';
import { MemoryObjects } from '../../support/memory-objects';
import { fromRequest, fromSlice } from '../../support/tiny-slice';
import { float32 } from '../../support/tensors';

const RUN = 'machine/run-1';

/** Of one element, so that each tensor tells where it comes from. */
const tensors = (values: Readonly<Record<string, number>>): NamedTensors =>
  new Map(Object.entries(values).map(([name, value]) => [name, float32([1], [value])]));

const needed = (...names: readonly string[]): SourcedTensor[] =>
  names.map((name) => {
    const spec = { name, dtype: 'float32', shape: [1] } as const;
    const slice = Number(/^s(\d)/.exec(name)?.[1]);
    return Number.isNaN(slice) ? fromRequest(spec) : fromSlice(spec, slice);
  });

/** The object of a slice by the indices of its items. */
type Part = Partial<SliceEntries> & { readonly items: Readonly<Record<number, NamedTensors>> };

async function gathered(parts: Readonly<Record<number, Part>>, names: readonly string[]) {
  const objects = new MemoryObjects();
  const store = new SafetensorsStore(objects, 'b', { writers: 'functions' });
  for (const [slice, { items, failed = [], left = [], ...more }] of Object.entries(parts)) {
    const entries = Object.keys(items).map((index) => [Number(index), digest(Number(index))]);
    const metadata = metadataOf({ entries, failed, left, ...more });
    await store.write(sliceObjectKey(RUN, Number(slice)), tensorsOfEntries(Object.values(items)), metadata);
  }
  const pack = await gatherPack(needed(...names), { run: RUN, store });
  const valueOf = (tensor: { readonly bytes?: Uint8Array }) =>
    new DataView(Uint8Array.from(tensor.bytes ?? []).buffer).getFloat32(0, true);
  const items = pack.items.map((item) => [
    item.index,
    item.digest,
    Object.fromEntries([...item.tensors].map(([name, own]) => [name, valueOf(own as { bytes: Uint8Array })])),
  ]);
  const read = [...new Set(objects.reads.map(({ key }) => key))].sort();
  return { ...pack, items, read };
}

it('joins the tensors of each item from several slices, and inputs of the model from the first one', async () => {
  const pack = await gathered(
    {
      0: { items: { 3: tensors({ x: 1, s0: 2 }), 7: tensors({ x: 3, s0: 4 }) } },
      1: { items: { 3: tensors({ s1: 5 }), 7: tensors({ s1: 6 }) } },
    },
    ['s1', 'x', 's0'],
  );
  expect(pack.items).toEqual([
    [3, digest(3), { s1: 5, x: 1, s0: 2 }],
    [7, digest(7), { s1: 6, x: 3, s0: 4 }],
  ]);
});

it('leaves out items that one of the slices has not computed, and says what became of them', async () => {
  const failed = [{ items: [4], error: 'SliceFailed', cause: 'why' }];
  const pack = await gathered(
    {
      0: { items: { 3: tensors({ s0: 1 }), 4: tensors({ s0: 2 }), 5: tensors({ s0: 3 }) } },
      1: { items: { 3: tensors({ s1: 4 }) }, failed, left: [5] },
      2: { items: { 3: tensors({ s2: 5 }), 4: tensors({ s2: 6 }), 5: tensors({ s2: 7 }) } },
    },
    ['s0', 's1', 's2'],
  );
  expect(pack.items).toEqual([[3, digest(3), { s0: 1, s1: 4, s2: 5 }]]);
  expect([pack.failed, pack.left]).toEqual([failed, [5]]);
});

it('says once of an item that it failed or was left, also if several slices say so', async () => {
  const failure = (index: number) => ({ items: [index], error: 'E', cause: 'why' });
  const pack = await gathered(
    {
      1: { items: {}, failed: [failure(1), failure(2)], left: [3, 4] },
      2: { items: {}, failed: [failure(2)], left: [4, 3, 1] },
    },
    ['s1', 's2'],
  );
  expect(pack.failed).toEqual([failure(1), failure(2)]);
  expect([...pack.left].sort()).toEqual([3, 4]);
});

it('has all items for a slice that reads nothing', async () => {
  const pack = await gathered({ 0: { items: { 3: tensors({ s0: 1 }), 4: tensors({ s0: 1 }) } } }, []);
  expect(pack.items).toEqual([
    [3, digest(3), {}],
    [4, digest(4), {}],
  ]);
  expect(pack.read).toEqual([sliceObjectKey(RUN, 0)]);
});

it.each([{ entries: 'none' }, { entries: [7] }, { failed: 'none' }, { left: null }])(
  'refuses an object with %j',
  async (more) => {
    const part = { items: {}, ...(more as object) };
    await expect(gathered({ 0: part }, ['s0'])).rejects.toThrow(
      'the object of slice 0 must have the items of a pack: start the batch again',
    );
  },
);

it('reads the digests of results, and of nothing else', () => {
  expect(resultDigests('{"digests":["a","b"]}')).toEqual(['a', 'b']);
  for (const text of [undefined, '', 'x', '[]', '{}', '{"digests":"a"}', '{"digests":[1]}'])
    expect(resultDigests(text)).toBeUndefined();
});
