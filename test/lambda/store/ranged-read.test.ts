import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { STALL_MS, wholeRequestMs } from '../../../lambda/store/limits';
import { ObjectChanged, type ByteRange, type ObjectStore } from '../../../lambda/store/object-store';
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
  from: typeof object,
  range: ByteRange,
  version: string,
): Promise<Uint8Array> {
  const target = new Uint8Array(range.end - range.start);
  await readRangeInto(objects, from, range, version, target);
  return target;
}

/** A body that stalls after its start. */
function stuckAfter(start: Uint8Array): Readable {
  const body = new Readable({ read: () => undefined });
  body.push(start);
  return body;
}

describe('reading a range', () => {
  it('returns its bytes', async () => {
    expect(await readRange(stored(), object, { start: 10, end: 20 }, '1')).toEqual(content.slice(10, 20));
  });

  it('resumes after a broken connection, and reads each byte once', async () => {
    const objects = stored();
    objects.connectionsToBreak = 3;
    expect(await readRange(objects, object, { start: 0, end: 1000 }, '1')).toEqual(content);
    expect(objects.reads.map(({ range }) => range.start)).toEqual([0, 500, 750, 875]);
  });

  it('fails after several connections that break without a byte', async () => {
    const objects = stored();
    objects.connectionsToBreak = 100;
    await expect(readRange(objects, object, { start: 0, end: 8 }, '1')).rejects.toThrow(
      'reading s3://b/k failed at byte 7: aborted',
    );
  });

  it('requests the rest again if a connection stalls, as after Lambda froze the process', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
    try {
      const objects = stored();
      const get = objects.get.bind(objects);
      let stalled = true;
      objects.get = async (...args) => {
        const part = await get(...args);
        if (!stalled) return part;
        stalled = false;
        return { ...part, body: stuckAfter(content.slice(0, 500)) };
      };
      const reading = readRange(objects, object, { start: 0, end: 1000 }, '1');
      await setImmediate();
      await jest.advanceTimersByTimeAsync(STALL_MS);
      expect(await reading).toEqual(content);
      expect(objects.reads.map(({ range }) => range.start)).toEqual([0, 500]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('fails in the end if every connection brings a few bytes only', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
    try {
      const objects = stored();
      const get = objects.get.bind(objects);
      objects.get = async (from, range, version) => ({
        ...(await get(from, range, version)),
        body: stuckAfter(content.slice(range.start, range.start + 1)),
      });
      const reading = readRange(objects, object, { start: 0, end: 1000 }, '1').catch(
        (error: unknown) => error,
      );
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
    await expect(readRange(objects, object, { start: 10, end: 20 }, opened.version)).rejects.toThrow(
      ObjectChanged,
    );
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

describe('parts', () => {
  it('cover the range in order and are at most as long as requested', () => {
    const range = fc.record({
      start: fc.nat(100),
      length: fc.nat(1000),
      part: fc.integer({ min: 1, max: 300 }),
    });
    fc.assert(
      fc.property(range, ({ start, length, part }) => {
        const parts = partsOf({ start, end: start + length }, part);
        let position = start;
        for (const { start: from, end } of parts) {
          expect(from).toBe(position);
          expect(end - from).toBeLessThanOrEqual(part);
          position = end;
        }
        expect(position).toBe(start + length);
      }),
    );
  });
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
