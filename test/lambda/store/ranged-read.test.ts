import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { partsOf } from '../../../contract/object-reads';
import { wholeRequestMs } from '../../../lambda/store/limits';
import type { ObjectStore } from '../../../lambda/store/object-store';
import { collectInto, inParallel, openObject, readRangeInto } from '../../../lambda/store/ranged-read';
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
  version = '"1"',
): Promise<Uint8Array> {
  const target = new Uint8Array(end - start);
  await readRangeInto(objects, object, { start, end }, version, target);
  return target;
}

it('reading a range resumes after a broken connection, and reads each byte once', async () => {
  const objects = stored();
  objects.connectionsToBreak = 3;
  expect(await readRange(objects, 0, 1000)).toEqual(content);
  expect(objects.reads.map(({ range }) => range.start)).toEqual([0, 500, 750, 875]);
});

it('reading a range fails after several connections that break without a byte', async () => {
  const objects = stored();
  objects.connectionsToBreak = 100;
  await expect(readRange(objects, 0, 8)).rejects.toThrow('reading s3://b/k failed at byte 7: aborted');
});

it('reading a range fails in the end if every connection brings a few bytes only', async () => {
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

it('inParallel starts no item after a failure', async () => {
  const started: number[] = [];
  const work = inParallel([0, 1, 2], 1, (item) => {
    started.push(item);
    return Promise.reject(new Error('no'));
  });
  await expect(work).rejects.toThrow('no');
  expect(started).toEqual([0]);
});
