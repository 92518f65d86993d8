/** Values are read several at a time, as far ahead as their number and their bytes allow. */
import * as fc from 'fast-check';
import { readAhead } from '../../../lambda/batch/read-ahead';

/** Reads numbers. Each read waits until the test ends it. */
class Reads {
  readonly started: number[] = [];
  private readonly ends = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();

  readonly read = (source: number): Promise<number> => {
    this.started.push(source);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        resolve(source);
      };
      this.ends.set(source, { resolve: end, reject });
    });
  };

  end(source: number): void {
    this.ends.get(source)?.resolve();
  }

  fail(source: number, error: Error): void {
    this.ends.get(source)?.reject(error);
  }
}

const NUMBERS = Array.from({ length: 40 }, (_, at) => at);

/** How many more reads began while each of the values was taken. */
async function startedFor(options: Parameters<typeof readAhead<number, number>>[2]): Promise<number[]> {
  const started: number[] = [];
  const read = (source: number): Promise<number> => Promise.resolve((started.push(source), source));
  const counts: number[] = [];
  for await (const value of readAhead(NUMBERS, read, options)) counts[value] = started.length;
  return counts;
}

/** Until all promises that can settle have done so. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

it('yields all values in the order of their sources, whatever ends first', async () => {
  const delays = fc.array(fc.nat({ max: 3 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(delays, fc.integer({ min: 1, max: 9 }), async (turns, most) => {
      const read = async (at: number): Promise<string> => {
        for (let turn = 0; turn < turns[at]; turn++) await Promise.resolve();
        return `value ${at}`;
      };
      const sources = turns.map((_, at) => at);
      const values: string[] = [];
      for await (const value of readAhead(sources, read, { most })) values.push(value);
      expect(values).toEqual(sources.map((at) => `value ${at}`));
    }),
    { numRuns: 50 },
  );
});

it('reads two values at first, then four, and never more than the most', async () => {
  const started = await startedFor({ most: 16 });
  expect(started.slice(0, 6)).toEqual([2, 5, 10, 19, 20, 21]);
  expect((await startedFor({ most: 3 })).slice(0, 4)).toEqual([2, 4, 5, 6]);
  expect((await startedFor({ most: 1 })).slice(0, 3)).toEqual([1, 2, 3]);
  expect(started).toHaveLength(NUMBERS.length);
});

it('reads no more values than fit in the bytes, as if each had the size of the largest one so far', async () => {
  const bytesOf = (value: number): number => (value < 3 ? 10 : value === 3 ? 50 : 1);
  const started = await startedFor({ most: 16, maxBytes: 100, bytesOf });
  // Ten at once until the fourth value, and then two.
  expect(started.slice(0, 9)).toEqual([2, 5, 10, 13, 13, 13, 13, 13, 13]);
  expect(started.slice(12, 15)).toEqual([14, 15, 16]);
});

it('reads one value at a time if even one exceeds the bytes', async () => {
  const started = await startedFor({ most: 16, maxBytes: 100, bytesOf: () => 1000 });
  expect(started.slice(0, 5)).toEqual([2, 2, 3, 4, 5]);
});

it('passes a failure to the taker of the value, and ends after those on their way', async () => {
  const reads = new Reads();
  const values = readAhead(NUMBERS, reads.read, { most: 2 });
  const first = values.next();
  reads.fail(1, new Error('no such object'));
  reads.end(0);
  expect(await first).toEqual({ done: false, value: 0 });
  let isOver = false;
  const second = values.next().finally(() => (isOver = true));
  await settled();
  expect([reads.started, isOver]).toEqual([[0, 1, 2], false]);
  reads.end(2);
  await expect(second).rejects.toThrow('no such object');
  expect(await values.next()).toEqual({ done: true, value: undefined });
  expect(reads.started).toEqual([0, 1, 2]);
});

it('waits for the values on their way if the taker needs no more, also if these fail', async () => {
  const reads = new Reads();
  const values = readAhead(NUMBERS, reads.read, { most: 3 });
  const first = values.next();
  reads.end(0);
  await first;
  let isOver = false;
  const end = values.return().finally(() => (isOver = true));
  await settled();
  expect(isOver).toBe(false);
  reads.fail(1, new Error('nobody gets it'));
  await end;
  expect(reads.started).toEqual([0, 1]);
});

it('ends a stream of sources of which the taker needs no more', async () => {
  let isClosed = false;
  async function* sources() {
    try {
      for (const number of NUMBERS) yield await Promise.resolve(number);
    } finally {
      isClosed = true;
    }
  }
  for await (const value of readAhead(sources(), (source) => Promise.resolve(source), { most: 4 })) {
    if (value === 7) break;
    expect(isClosed).toBe(false);
  }
  expect(isClosed).toBe(true);
});

it('yields nothing of nothing', async () => {
  expect(await readAhead([], () => Promise.resolve(1), { most: 2 }).next()).toMatchObject({ done: true });
});
