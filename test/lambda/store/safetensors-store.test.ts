import * as fc from 'fast-check';
import { MAX_GAP_BYTES, countGets } from '../../../contract/object-reads';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { READ_ATTEMPTS } from '../../../lambda/store/stored-tensors';
import type { StoredTensor } from '../../../lambda/tensors/safetensors-header';
import type { NumericTensor, RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';
import { MemoryObjects } from '../../support/memory-objects';

/** Smaller than the default, so that tests need no large objects. */
const FIRST_READ_BYTES = 64 * 1024;

function bytes(length: number, fill: number): NumericTensor {
  return { dtype: 'uint8', shape: [length], bytes: new Uint8Array(length).fill(fill) };
}

type Tensors = Readonly<Record<string, RawTensor>>;

const named = (tensors: Tensors, names = Object.keys(tensors)) =>
  comparable(new Map(names.map((name) => [name, tensors[name]])));

/** A store with the tensors as the object `k`. */
async function written(tensors: Tensors | Map<string, RawTensor>, writers?: 'functions' | 'callers') {
  const objects = new MemoryObjects();
  const options = { firstReadBytes: FIRST_READ_BYTES, ...(writers && { writers }) };
  const store = new SafetensorsStore(objects, 'b', options);
  await store.write('k', tensors instanceof Map ? tensors : new Map(Object.entries(tensors)));
  const read = async (names: readonly string[]) => comparable(await (await store.open('k')).read(names));
  const lengths = () => objects.reads.map(({ range }) => range.end - range.start);
  return { objects, store, read, lengths };
}

function file(json: string, data = ''): Uint8Array {
  return Buffer.concat([Buffer.from([json.length, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(json + data)]);
}

describe('a safetensors object', () => {
  it('returns the requested tensors', async () => {
    await fc.assert(
      fc.asyncProperty(namedTensors, async (tensors) => {
        const { read } = await written(tensors);
        const names = [...tensors.keys()].filter((_, index) => index % 2 === 0);
        const wanted = new Map([...tensors].filter(([name]) => names.includes(name)));
        expect(await read(names)).toEqual(comparable(wanted));
      }),
    );
  });

  it('is read with one request for its first part and one for each group of neighboring tensors after it', async () => {
    const tensors = {
      first: bytes(100, 1),
      head: bytes(FIRST_READ_BYTES, 1),
      a: bytes(100, 2),
      between: bytes(MAX_GAP_BYTES, 3),
      b: bytes(100, 4),
      far: bytes(MAX_GAP_BYTES + 1, 5),
      c: bytes(100, 6),
    };
    const { read, lengths } = await written(tensors);
    expect(await read(['c', 'a', 'first', 'b'])).toEqual(named(tensors, ['a', 'b', 'c', 'first']));
    expect(lengths().slice(1)).toEqual([100 + MAX_GAP_BYTES + 100, 100]);
  });

  it('is read with as many requests as the planner counts', async () => {
    const length = fc.oneof(fc.nat(2000), fc.integer({ min: MAX_GAP_BYTES - 300, max: MAX_GAP_BYTES + 300 }));
    const lengths = fc.array(fc.record({ length, isNeeded: fc.boolean() }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(lengths, async (all) => {
        const tensors = Object.fromEntries(all.map((each, at) => [`t${at}`, bytes(1 + each.length, at)]));
        const names = Object.keys(tensors).filter((_, at) => all[at].isNeeded);
        const { objects, store } = await written(tensors);
        const reader = await store.open('k');
        const places = names.map((name) => reader.heads.get(name) as StoredTensor);
        const { start } = reader.heads.get('t0') as StoredTensor;
        await reader.read(names);
        expect(objects.reads).toHaveLength(countGets(places, start, FIRST_READ_BYTES));
      }),
      { numRuns: 50 },
    );
  });

  it('is read without a gap or overlap if a tensor reaches beyond the first part', async () => {
    const x = bytes(FIRST_READ_BYTES + 1000, 7);
    x.bytes.fill(9, FIRST_READ_BYTES - 500);
    const { objects, read } = await written({ x });
    expect(await read(['x'])).toEqual(named({ x }));
    const rest = { start: FIRST_READ_BYTES, end: objects.bytes('k')?.byteLength };
    expect(objects.reads.slice(1)).toEqual([{ key: 'k', range: rest }]);
  });

  it('may have a header longer than the first read', async () => {
    const text: RawTensor = { dtype: 'string', shape: [1], strings: ['s'.repeat(2 * FIRST_READ_BYTES)] };
    const tensors = { text, x: bytes(10, 1) };
    expect(await (await written(tensors)).read(['text', 'x'])).toEqual(named(tensors));
  });
});

describe('a damaged safetensors object', () => {
  const tensors: Tensors = {
    first: bytes(100, 1),
    long: bytes(FIRST_READ_BYTES, 2),
    near: bytes(100, 3),
    neighbor: bytes(100, 4),
    gap: bytes(2 * MAX_GAP_BYTES, 5),
    far: bytes(100, 6),
    words: { dtype: 'string', shape: [1], strings: ['a word'] },
  };
  const needed = Object.keys(tensors).filter((name) => name !== 'gap');

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

  it.each(['first', 'long', 'near', 'neighbor', 'far'])(
    "is read again if the network damages tensor '%s', and fails with CorruptTensor if it stays damaged",
    async (name) => {
      const { objects, read } = await written(tensors, 'functions');
      const at = await placeOf(name, objects);
      flip(objects, at, READ_ATTEMPTS - 1);
      objects.reads.length = 0;
      expect(await read(needed)).toEqual(named(tensors, needed));
      const again = objects.reads.filter(({ range }) => range.start <= at && at < range.end);
      // The second and third time, only the damaged tensor.
      const lengths = again.slice(1).map(({ range }) => range.end - range.start);
      expect(lengths).toEqual(Array(READ_ATTEMPTS - 1).fill(name === 'long' ? FIRST_READ_BYTES : 100));

      flip(objects, at, Infinity);
      const message =
        /^s3:\/\/b\/k was damaged in 3 reads: tensor '\w+' must have the CRC32 [0-9a-f]{8}, got [0-9a-f]{8}: start/;
      await expect(read(needed)).rejects.toMatchObject({
        name: 'CorruptTensor',
        details: { tensor: name, message: expect.stringMatching(message) as string },
      });
      expect(objects.openBodies).toBe(0);
    },
  );

  it('is read again if the network damages its header, whichever byte', async () => {
    const { objects, store } = await written(tensors, 'functions');
    const { buffer } = objects.bytes('k') ?? new Uint8Array(0);
    const header = 8 + Number(new DataView(buffer).getBigUint64(0, true));
    for (let at = 0; at < header; at++) {
      flip(objects, at, READ_ATTEMPTS - 1);
      const reader = await store.open('k');
      expect(reader.heads.get('words')).toEqual(tensors.words);
      await reader.discard();
      flip(objects, at, Infinity);
      await expect(store.open('k')).rejects.toMatchObject({ name: 'CorruptTensor' });
    }
    expect(objects.openBodies).toBe(0);
  });

  it('must have checksums if a function must have written it', async () => {
    const { objects, store } = await written({}, 'functions');
    objects.put('k', file('{}'));
    await expect(store.open('k')).rejects.toMatchObject({
      name: 'CorruptTensor',
      message: expect.stringContaining('has no checksum, which slice functions always write') as string,
    });
  });

  it('must fit its checksums if a caller has written it, and need not have any', async () => {
    const { objects, read } = await written({ x: bytes(10, 1) });
    const stored = objects.bytes('k') ?? new Uint8Array(0);
    objects.put('k', Uint8Array.from([...stored.subarray(0, -1), 9]));
    await expect(read(['x'])).rejects.toMatchObject({
      name: 'CorruptTensor',
      message: expect.stringContaining('write it again, without old metadata') as string,
    });
    objects.put('k', file('{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 'a'));
    expect(await read(['x'])).toEqual(named({ x: bytes(1, 97) }));
  });
});
