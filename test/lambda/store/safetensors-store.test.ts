import * as fc from 'fast-check';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { MAX_GAP_BYTES } from '../../../lambda/store/stored-tensors';
import { SafetensorsError } from '../../../lambda/tensors/safetensors';
import type { NumericTensor, RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';
import { MemoryObjects } from '../../support/memory-objects';

/** Smaller than the default, so that tests need no large objects. */
const FIRST_READ_BYTES = 64 * 1024;

function bytes(length: number, fill: number): NumericTensor {
  return { dtype: 'uint8', shape: [length], bytes: new Uint8Array(length).fill(fill) };
}

async function written(tensors: ReadonlyMap<string, RawTensor>) {
  const objects = new MemoryObjects();
  const store = new SafetensorsStore(objects, 'b', FIRST_READ_BYTES);
  await store.write('k', tensors);
  return { objects, store };
}

describe('a safetensors object', () => {
  it('returns the requested tensors', async () => {
    await fc.assert(
      fc.asyncProperty(namedTensors, async (tensors) => {
        const { store } = await written(tensors);
        const reader = await store.open('k');
        const names = [...tensors.keys()].filter((_, index) => index % 2 === 0);
        const wanted = new Map([...tensors].filter(([name]) => names.includes(name)));
        expect(comparable(await reader.read(names))).toEqual(comparable(wanted));
      }),
    );
  });

  it('is read in one request if it is small', async () => {
    const { objects, store } = await written(new Map([['x', bytes(9, 1)]]));
    await (await store.open('k')).read(['x']);
    expect(objects.reads).toEqual([{ key: 'k', range: { start: 0, end: FIRST_READ_BYTES } }]);
  });

  it('is read with one request for its first part and one for each group of neighboring tensors after it', async () => {
    const tensors = new Map([
      ['first', bytes(100, 1)],
      ['head', bytes(FIRST_READ_BYTES, 1)],
      ['a', bytes(100, 2)],
      ['between', bytes(MAX_GAP_BYTES, 3)],
      ['b', bytes(100, 4)],
      ['far', bytes(MAX_GAP_BYTES + 1, 5)],
      ['c', bytes(100, 6)],
    ]);
    const { objects, store } = await written(tensors);
    const read = await (await store.open('k')).read(['c', 'a', 'first', 'b']);
    expect([...read.keys()].sort()).toEqual(['a', 'b', 'c', 'first']);
    expect(comparable(read)).toEqual(comparable(new Map([...tensors].filter(([name]) => read.has(name)))));
    expect(objects.reads.slice(1).map(({ range }) => range.end - range.start)).toEqual([
      100 + MAX_GAP_BYTES + 100,
      100,
    ]);
  });

  it('is read without a gap or overlap if a tensor reaches beyond the first part', async () => {
    const large = { ...bytes(FIRST_READ_BYTES + 1000, 7), dtype: 'uint8' } as const;
    large.bytes.fill(9, FIRST_READ_BYTES - 500);
    const { objects, store } = await written(new Map([['x', large]]));
    const read = await (await store.open('k')).read(['x']);
    expect(comparable(read)).toEqual(comparable(new Map([['x', large]])));
    const [, rest] = objects.reads;
    expect(objects.reads).toHaveLength(2);
    expect(rest.range).toEqual({ start: FIRST_READ_BYTES, end: objects.bytes('k')?.byteLength });
  });

  it('is not read completely if its tensors are far apart', async () => {
    const tensors = new Map([
      ['skipped', bytes(2 * MAX_GAP_BYTES, 1)],
      ['x', bytes(10, 2)],
    ]);
    const { objects, store } = await written(tensors);
    expect(comparable(await (await store.open('k')).read(['x']))).toEqual(
      comparable(new Map([['x', bytes(10, 2)]])),
    );
    expect(objects.reads.slice(1).map(({ range }) => range.end - range.start)).toEqual([10]);
  });

  it('is read correctly if connections break', async () => {
    const tensors = new Map([
      ['a', bytes(1000, 1)],
      ['b', bytes(FIRST_READ_BYTES, 2)],
    ]);
    const { objects, store } = await written(tensors);
    objects.connectionsToBreak = 3;
    expect(comparable(await (await store.open('k')).read(['a', 'b']))).toEqual(comparable(tensors));
  });

  it('closes its connection if a requested tensor is missing', async () => {
    const { objects, store } = await written(new Map([['x', bytes(1000, 1)]]));
    const reader = await store.open('k');
    expect(objects.openBodies).toBe(1);
    await expect(reader.read(['x', 'missing'])).rejects.toThrow("'missing'");
    expect(objects.openBodies).toBe(0);
  });

  it('may have a header longer than the first read', async () => {
    const strings: RawTensor = { dtype: 'string', shape: [1], strings: ['s'.repeat(2 * FIRST_READ_BYTES)] };
    const tensors = new Map<string, RawTensor>([
      ['text', strings],
      ['x', bytes(10, 1)],
    ]);
    const { store } = await written(tensors);
    expect(comparable(await (await store.open('k')).read(['text', 'x']))).toEqual(comparable(tensors));
  });

  it('is not overwritten', async () => {
    const { store, objects } = await written(new Map([['x', bytes(1, 1)]]));
    expect(await store.write('k', new Map([['x', bytes(1, 2)]]))).toEqual({ result: 'present', bytes: 0 });
    expect(objects.bytes('k')?.at(-1)).toBe(1);
  });

  it('is refused if it is empty', async () => {
    const objects = new MemoryObjects();
    objects.put('k', new Uint8Array(0));
    await expect(new SafetensorsStore(objects, 'b', FIRST_READ_BYTES).open('k')).rejects.toThrow(
      SafetensorsError,
    );
  });
});
