import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { ByteCursor } from '../../../lambda/store/stored-tensors';
import { wholeRequestMs } from '../../../lambda/store/limits';
import { ObjectChanged, type ObjectStore } from '../../../lambda/store/object-store';
import {
  collectInto,
  inParallel,
  openObject,
  partsOf,
  readRangeInto,
} from '../../../lambda/store/ranged-read';
import { MemoryObjects } from '../../support/memory-objects';

const object = { bucket: 'b', key: 'k' };
const content = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);

function stored(): MemoryObjects {
  const objects = new MemoryObjects();
  objects.put('k', content);
  return objects;
}

async function readRange(
  objects: ObjectStore,
  start: number,
  end: number,
  version = '1',
): Promise<Uint8Array> {
  const target = new Uint8Array(end - start);
  await readRangeInto(objects, object, { start, end }, version, target);
  return target;
}

describe('reading a range', () => {
  it('resumes after a broken connection, and reads each byte once', async () => {
    const objects = stored();
    objects.connectionsToBreak = 3;
    expect(await readRange(objects, 0, 1000)).toEqual(content);
    expect(objects.reads.map(({ range }) => range.start)).toEqual([0, 500, 750, 875]);
  });

  it('fails after several connections that break without a byte', async () => {
    const objects = stored();
    objects.connectionsToBreak = 100;
    await expect(readRange(objects, 0, 8)).rejects.toThrow('reading s3://b/k failed at byte 7: aborted');
  });

  it('fails in the end if every connection brings a few bytes only', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
    try {
      const objects = stored();
      const get = objects.get.bind(objects);
      objects.get = async (from, range, version) => {
        const body = new Readable({ read: () => undefined });
        body.push(content.slice(range.start, range.start + 1));
        return { ...(await get(from, range, version)), body };
      };
      const reading = readRange(objects, 0, 1000).catch((error: unknown) => error);
      await setImmediate();
      await jest.advanceTimersByTimeAsync(wholeRequestMs(1000));
      expect(await reading).toMatchObject({
        name: 'StorageUnavailable',
        message:
          'reading s3://b/k failed at byte 4: slower than any network of Lambda: start the execution again',
      });
    } finally {
      jest.useRealTimers();
    }
  });

  it('fails if the object was replaced in between', async () => {
    const objects = stored();
    const opened = await openObject(objects, object, 10);
    objects.put('k', content);
    await expect(readRange(objects, 10, 20, opened.version)).rejects.toThrow(ObjectChanged);
  });

  it('opens an object with its first bytes, even if the connection breaks or the object is shorter', async () => {
    const objects = stored();
    objects.connectionsToBreak = 1;
    const opened = await openObject(objects, object, 100);
    const start = new Uint8Array(opened.startBytes);
    await collectInto(start, 0, opened.start);
    expect(opened).toMatchObject({ size: 1000, startBytes: 100 });
    expect(start).toEqual(content.slice(0, 100));
    expect(await openObject(objects, object, 5000)).toMatchObject({ size: 1000, startBytes: 1000 });
  });
});

test('an empty object keeps no connection open', async () => {
  const objects = stored();
  objects.put('k', new Uint8Array(0));
  const opened = await openObject(objects, object, 100);
  expect(opened).toMatchObject({ size: 0, startBytes: 0 });
  expect(objects.openBodies).toBe(0);
  await collectInto(new Uint8Array(0), 0, opened.start);
});

test('parts cover a range in order and are at most as long as requested', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.nat(1000), fc.integer({ min: 1, max: 300 }), (start, length, longest) => {
      let position = start;
      for (const part of partsOf({ start, end: start + length }, longest)) {
        expect(part.start).toBe(position);
        expect(part.end - part.start).toBeLessThanOrEqual(longest);
        position = part.end;
      }
      expect(position).toBe(start + length);
    }),
  );
});

describe('inParallel', () => {
  it('starts items in order and never runs more than the limit', async () => {
    const started: number[] = [];
    let running = 0;
    await inParallel([0, 1, 2, 3, 4], 2, async (item) => {
      started.push(item);
      expect(++running).toBeLessThanOrEqual(2);
      await Promise.resolve();
      running--;
    });
    expect(started).toEqual([0, 1, 2, 3, 4]);
  });

  it('starts no item after a failure', async () => {
    const started: number[] = [];
    const work = inParallel([0, 1, 2], 1, (item) => {
      started.push(item);
      return Promise.reject(new Error('no'));
    });
    await expect(work).rejects.toThrow('no');
    expect(started).toEqual([0]);
  });
});

describe('a cursor', () => {
  async function* chunksOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array, void> {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
    throw new Error('connection lost');
  }

  it('fills and skips across chunks, and frees each chunk after use', async () => {
    const chunks = [0, 3, 6].map((first) => Uint8Array.of(first, first + 1, first + 2));
    const sizes = () => chunks.map(({ byteLength }) => byteLength);
    const cursor = new ByteCursor(chunksOf(...chunks));
    const target = new Uint8Array(4);
    await cursor.skip(1);
    await cursor.fill(target);
    expect([...target]).toEqual([1, 2, 3, 4]);
    expect(sizes()).toEqual([0, 3, 3]);
    await cursor.skip(3);
    expect(cursor.at).toBe(8);
    await expect(cursor.fill(target)).rejects.toThrow('connection lost');
    await cursor.close();
    await cursor.close();
    expect(sizes()).toEqual([0, 0, 0]);
  });

  it('reports the position at which a stream is too short or too long', async () => {
    const cursorOf = (bytes: number) => new ByteCursor(oneChunk(bytes));
    async function* oneChunk(bytes: number): AsyncGenerator<Uint8Array, void> {
      yield await Promise.resolve(new Uint8Array(bytes));
    }
    await expect(cursorOf(2).fill(new Uint8Array(3))).rejects.toThrow('the stream ended at byte 2');
    await expect(cursorOf(1).finish()).rejects.toThrow('the stream must end at byte 0, got more bytes');
  });
});
