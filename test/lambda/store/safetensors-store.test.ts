import * as fc from 'fast-check';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { MAX_GAP_BYTES, READ_ATTEMPTS } from '../../../lambda/store/stored-tensors';
import { SafetensorsError } from '../../../lambda/tensors/safetensors';
import type { StoredTensor } from '../../../lambda/tensors/safetensors-header';
import type { NumericTensor, RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';
import { MemoryObjects } from '../../support/memory-objects';

/** Smaller than the default, so that tests need no large objects. */
const FIRST_READ_BYTES = 64 * 1024;

function bytes(length: number, fill: number): NumericTensor {
  return { dtype: 'uint8', shape: [length], bytes: new Uint8Array(length).fill(fill) };
}

async function written(tensors: ReadonlyMap<string, RawTensor>, writers?: 'functions' | 'callers') {
  const objects = new MemoryObjects();
  const store = new SafetensorsStore(objects, 'b', {
    firstReadBytes: FIRST_READ_BYTES,
    ...(writers && { writers }),
  });
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

  it('is refused if it is empty, and no connection stays open', async () => {
    const objects = new MemoryObjects();
    objects.put('k', new Uint8Array(0));
    await expect(
      new SafetensorsStore(objects, 'b', { firstReadBytes: FIRST_READ_BYTES }).open('k'),
    ).rejects.toThrow(SafetensorsError);
    expect(objects.openBodies).toBe(0);
  });
});

describe('a damaged safetensors object', () => {
  const tensors = new Map<string, RawTensor>([
    ['first', bytes(100, 1)],
    ['long', bytes(FIRST_READ_BYTES, 2)],
    ['near', bytes(100, 3)],
    ['neighbor', bytes(100, 4)],
    ['gap', bytes(2 * MAX_GAP_BYTES, 5)],
    ['far', bytes(100, 6)],
    ['words', { dtype: 'string', shape: [1], strings: ['a word'] }],
  ]);

  /** Flips a bit of the object's byte `at` in its first `times` reads. */
  function flip(objects: MemoryObjects, at: number, times: number): void {
    let left = times;
    objects.damage = (part, _, { start }) => {
      if (at < start || at >= start + part.byteLength || left-- <= 0) return;
      part[at - start] ^= 4;
    };
  }

  async function placeOf(name: string, objects: MemoryObjects): Promise<number> {
    const reader = await new SafetensorsStore(objects, 'b').open('k');
    await reader.discard();
    return (reader.heads.get(name) as StoredTensor).start + 50;
  }

  const needed = [...tensors.keys()].filter((name) => name !== 'gap');
  const expected = comparable(new Map([...tensors].filter(([name]) => needed.includes(name))));

  it.each(['first', 'long', 'near', 'neighbor', 'far'])(
    "is read again if the network damages tensor '%s'",
    async (name) => {
      const { objects, store } = await written(tensors, 'functions');
      const at = await placeOf(name, objects);
      flip(objects, at, READ_ATTEMPTS - 1);
      objects.reads.length = 0;
      expect(comparable(await (await store.open('k')).read(needed))).toEqual(expected);
      const again = objects.reads.filter(({ range }) => range.start <= at && at < range.end);
      expect(again).toHaveLength(READ_ATTEMPTS);
      // The second and third time, only the damaged tensor.
      expect(again.slice(1).map(({ range }) => range.end - range.start)).toEqual(
        again.slice(1).map(() => (name === 'long' ? FIRST_READ_BYTES : 100)),
      );
    },
  );

  it.each(['first', 'long', 'near', 'neighbor', 'far'])(
    "fails with CorruptTensor if tensor '%s' stays damaged",
    async (name) => {
      const { objects, store } = await written(tensors, 'functions');
      flip(objects, await placeOf(name, objects), Infinity);
      const read = (await store.open('k')).read(needed);
      await expect(read).rejects.toMatchObject({
        name: 'CorruptTensor',
        details: {
          tensor: name,
          message: expect.stringMatching(
            /^s3:\/\/b\/k was damaged in 3 reads: tensor '\w+' must have the CRC32 [0-9a-f]{8}, got [0-9a-f]{8}: start/,
          ) as string,
        },
      });
      expect(objects.openBodies).toBe(0);
    },
  );

  it('is returned if only tensors are damaged that nobody reads', async () => {
    const { objects, store } = await written(tensors, 'functions');
    flip(objects, await placeOf('long', objects), Infinity);
    const read = await (await store.open('k')).read(['first', 'far', 'words']);
    expect(comparable(read)).toEqual(comparable(new Map([...tensors].filter(([name]) => read.has(name)))));
  });

  it('is read again if the network damages its header, whichever byte', async () => {
    const { objects, store } = await written(tensors, 'functions');
    const header =
      8 + Number(new DataView((objects.bytes('k') ?? new Uint8Array(0)).buffer).getBigUint64(0, true));
    for (let at = 0; at < header; at++) {
      flip(objects, at, READ_ATTEMPTS - 1);
      const reader = await store.open('k');
      expect(reader.heads.get('words')).toEqual(tensors.get('words'));
      await reader.discard();
      flip(objects, at, Infinity);
      await expect(store.open('k')).rejects.toMatchObject({ name: 'CorruptTensor' });
    }
    expect(objects.openBodies).toBe(0);
  });

  it('fails with CorruptTensor if a function must have written it, and it has no checksums', async () => {
    const { objects, store } = await written(new Map(), 'functions');
    objects.put('k', Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{}')]));
    await expect(store.open('k')).rejects.toMatchObject({
      name: 'CorruptTensor',
      message: expect.stringContaining('has no checksum, which slice functions always write') as string,
    });
  });

  it("fails with CorruptTensor if a caller's program kept the checksums of other tensors", async () => {
    const { objects, store } = await written(new Map([['x', bytes(10, 1)]]));
    const file = objects.bytes('k') ?? new Uint8Array(0);
    objects.put('k', Uint8Array.from([...file.subarray(0, -1), 9]));
    const read = (await store.open('k')).read(['x']);
    await expect(read).rejects.toMatchObject({
      name: 'CorruptTensor',
      message: expect.stringContaining('write it again, without old metadata') as string,
    });
  });

  it("is not checked if it is a caller's and has no checksums", async () => {
    const { objects, store } = await written(new Map());
    const json = '{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}';
    objects.put(
      'k',
      Buffer.concat([Buffer.from([json.length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(`${json}a`)]),
    );
    expect(comparable(await (await store.open('k')).read(['x']))).toEqual(
      comparable(new Map([['x', bytes(1, 97)]])),
    );
  });
});
