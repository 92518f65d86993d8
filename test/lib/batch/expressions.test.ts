/**
 * The expressions of a child, evaluated for lists of no, one, two and many elements: JSONata takes a list of one element for this element,
 * and an empty one for nothing.
 */
import type { PackItem } from '../../../contract/batch-pack';
import * as expressions from '../../../lib/batch/expressions';
import {
  CALL,
  COUNTS,
  FAILURE,
  failures,
  item,
  items,
  MANY,
  packs,
  TIMING,
  valueOf,
} from '../../support/expression-value';

describe('the items of a child', () => {
  it.each(COUNTS)('%d of them are one pack, if there are any', async (count) => {
    const input = { Items: items(count) };
    const expected = count === 0 ? [] : [{ items: items(count) }];
    expect(await valueOf(expressions.itemsOfChild('objects'), { input })).toEqual(expected);
    expect(await valueOf(expressions.itemsOfChild('jsonLines'), { input })).toEqual(expected);
  });

  const listed = (Key: string, Size?: unknown) => ({
    index: 0,
    value: { Key, ...(Size !== undefined && { Size }) },
  });

  it.each<[Parameters<typeof expressions.itemsOfChild>[0], object, boolean]>([
    ['objects', listed('inputs/folder/', 0), false],
    ['objects', listed('inputs/folder/', 1), true],
    ['objects', listed('inputs/empty', 0), true],
    ['objects', listed('inputs/no folder%2F', 0), true],
    ['inventory', listed('inputs%2Ffolder%2F', '0'), false],
    ['inventory', listed('inputs/folder/', '0'), false],
    ['inventory', listed('inputs/folder/', '10'), true],
    ['inventory', listed('inputs/folder/'), true],
    ['jsonLines', listed('inputs/folder/', 0), true],
    ['csv', { index: 0, value: { key: 'inputs/' } }, true],
  ])('in %s, %j is one of them: %s', async (kind, own, expected) => {
    const found = async (...Items: object[]) => valueOf(expressions.itemsOfChild(kind), { input: { Items } });
    expect(await found(own)).toEqual(expected ? [{ items: [own] }] : []);
    const [other] = items(1);
    expect(await found(own, other)).toEqual([{ items: expected ? [own, other] : [other] }]);
  });

  it.each(['jsonLines', 'objects'] as const)('in %s, values may be lists or anything', async (kind) => {
    const Items = [[1, 2], [], null, 'x', {}].map((value, index) => ({ index, value }));
    expect(await valueOf(expressions.itemsOfChild(kind), { input: { Items } })).toEqual([{ items: Items }]);
    const [one] = Items;
    expect(await valueOf(expressions.itemsOfChild(kind), { input: { Items: [one] } })).toEqual([
      { items: [one] },
    ]);
  });
});

describe('the search for results', () => {
  it.each(COUNTS)('leaves a pack of %d items, if there are any', async (count) => {
    const payload = { results: [], left: items(count).map(({ index }) => index) };
    const expected = count === 0 ? [] : [{ items: items(count) }];
    for (const more of [0, 3]) {
      const queue = [{ items: items(count + more) }];
      expect(await valueOf(expressions.foundQueue(false), { payload, queue })).toEqual(expected);
    }
  });

  it.each(COUNTS)(
    'tells %d items their digests before a preprocess function, unless they are bad',
    async (count) => {
      const left = items(count).map(({ index }) => index);
      const digests = Object.fromEntries(left.slice(1).map((index) => [index, `digest ${index}`]));
      const expected = items(count).map((own, at) =>
        at === 0 ? own : { ...own, digest: `digest ${own.index}` },
      );
      const queue = [{ items: items(count + 3) }];
      const payload = { results: [], left, digests };
      expect(await valueOf(expressions.foundQueue(true), { payload, queue })).toEqual(
        count === 0 ? [] : [{ items: expected }],
      );
    },
  );
});

describe('the next pack', () => {
  it.each(MANY)('is the first of %d, and the others wait in their order', async (count) => {
    const queue = packs(count);
    for (const [at, pack] of queue.entries()) {
      const waiting = [pack, ...queue.slice(at + 1)];
      expect(await valueOf(expressions.NEXT_PACK, { queue: waiting })).toEqual({
        items: pack.items,
        queue: queue.slice(at + 1),
        endsAt: expect.any(Number) as number,
      });
    }
  });

  it.each([
    ['one item', 1, 0, 275, {}],
    ['one item', 1, 170, 105, {}],
    ['several items', 2, 0, 150, {}],
    ['several items', 2, 100, 150, {}],
    ['several items', 5, 170, 105, {}],
    ['an item alone', 1, 150, 40, { isAlone: true }],
    ['an item alone', 1, 235, 40, { isAlone: true }],
    ['the last item alone', 1, 150, 125, { isAlone: true, waiting: 0 }],
  ])('of %s (%d) that begins %d s after its run ends after %d s', async (_, count, after, expected, more) => {
    const startedAt = Date.now() - 1000 * after;
    const { waiting = 1, ...fields } = more as { waiting?: number };
    const queue = [{ items: items(count), ...fields }, ...packs(waiting)];
    const endsAt = (await valueOf(expressions.NEXT_PACK.endsAt, { queue, startedAt })) as number;
    const seconds = (endsAt - startedAt) / 1000 - after;
    expect(seconds).toBeGreaterThanOrEqual(expected);
    expect(seconds).toBeLessThan(expected + 1);
  });
});

test.each([
  ['a pack', {}, 179, true],
  ['a pack', {}, 181, false],
  ['an item alone', { isAlone: true }, 234, true],
  ['an item alone', { isAlone: true }, 236, false],
])('%s %j begins at %d s: %p', async (_, fields, after, expected) => {
  const scope = { queue: [{ items: items(1), ...fields }], startedAt: Date.now() - 1000 * after };
  expect(await valueOf(`{% ${expressions.HAS_TIME} %}`, scope)).toBe(expected);
});

describe('the time of a pack', () => {
  const secondsOf = async (query: string, left: number): Promise<number> =>
    (await valueOf(query, { endsAt: Date.now() + 1000 * left })) as number;
  const untilOf = async (calls: number, left: number): Promise<number> =>
    (await secondsOf(`{% ${expressions.until(calls)} %}`, left)) - Date.now();

  it('is shared by the calls that are left', async () => {
    for (const [calls, expected] of [
      [1, 100],
      [2, 50],
      [4, 25],
    ]) {
      const ms = await untilOf(calls, 100);
      expect(ms).toBeGreaterThan(1000 * expected - 500);
      expect(ms).toBeLessThanOrEqual(1000 * expected + 500);
    }
  });

  it('that is over leaves none for further items', async () => {
    expect(await untilOf(3, -10)).toBeLessThanOrEqual(0);
  });

  it('ends a call, which has one second at least', async () => {
    expect(await secondsOf(expressions.timeout(1), 99.5)).toBe(100);
    expect(await secondsOf(expressions.timeout(2), 99.5)).toBe(50);
    expect(await secondsOf(expressions.timeout(1), -10)).toBe(1);
  });
});

describe('after a pack', () => {
  const outcome = (done: number, failed: number, left: readonly number[]) => ({
    ...(done > 0 && { result: 'the key' }),
    done: Array.from({ length: done }, (_, at) => 10 + at),
    failed: failures(failed),
    left,
  });
  const scope = {
    begun: 0,
    calls: [{ slice: 1, mbMs: 1, processor: 'x' }],
    failed: [FAILURE],
    results: [],
    queue: [],
  };
  const before = { key: 'before', items: [1], ms: 1, calls: [] };

  it.each(COUNTS)('%d items with results are one result, which has all calls of the pack', async (count) => {
    const payload = { pack: outcome(count, 0, []), timing: TIMING };
    const assigned = expressions.afterPack("'slice': 2", true);
    for (const results of [[], [before], [before, before]]) {
      const result = {
        ...{ key: 'the key', items: payload.pack.done, ms: expect.any(Number) as number },
        calls: [...scope.calls, CALL],
      };
      expect(await valueOf(assigned, { ...scope, results, items: items(count), payload })).toEqual({
        results: count === 0 ? results : [...results, result],
        failed: [FAILURE],
        queue: [],
      });
    }
  });

  it('the time of a result begins with its pack', async () => {
    const payload = { pack: outcome(1, 0, []), timing: TIMING };
    const begun = Date.now() - 5_000;
    const { results } = expressions.afterPack("'slice': 2", true);
    const [{ ms }] = (await valueOf(results, { ...scope, begun, items: items(1), payload })) as [
      { ms: number },
    ];
    expect(ms).toBeGreaterThanOrEqual(5_000);
    // And not in 1970.
    expect(ms).toBeLessThan(begun);
  });

  it.each(COUNTS)('%d failed items follow those that had failed', async (count) => {
    const payload = { pack: outcome(0, count, []), timing: TIMING };
    const { failed } = expressions.afterPack("'slice': 2", true);
    for (const earlier of COUNTS)
      expect(await valueOf(failed, { ...scope, failed: failures(earlier, 7), items: [], payload })).toEqual([
        ...failures(earlier, 7),
        ...failures(count),
      ]);
  });

  it.each(COUNTS)('%d items that were left are the next pack', async (count) => {
    const own = items(7);
    const left = own.slice(1, 1 + count);
    const payload = { pack: outcome(0, 0, left.map(({ index }) => index).reverse()), timing: TIMING };
    const { queue } = expressions.afterPack("'slice': 2", true);
    for (const waiting of COUNTS)
      expect(await valueOf(queue, { ...scope, queue: packs(waiting), items: own, payload })).toEqual([
        ...(count === 0 ? [] : [{ items: left }]),
        ...packs(waiting),
      ]);
  });

  it('the call of the whole model is marked as such', async () => {
    const payload = { pack: outcome(1, 0, []), timing: { ...TIMING, whole: true } };
    const { results } = expressions.afterPack("'whole': true", true);
    expect(await valueOf(results, { ...scope, calls: [], items: items(1), payload })).toMatchObject([
      { calls: [{ whole: true, mbMs: 10_200, processor: 'arm64' }] },
    ]);
  });

  describe('whose results a function handles', () => {
    const assigned = expressions.afterPack("'slice': 2", false);

    it.each(COUNTS)('%d of them are kept for it, with the calls', async (count) => {
      const outputs = { s3: { bucket: 'b', key: 'the key' }, entry: 0 };
      const payload = { pack: outcome(count, 1, [12]), timing: TIMING, ...(count === 1 && { outputs }) };
      const value = await valueOf(assigned, { ...scope, items: items(5), payload });
      expect(value).toEqual({
        calls: [...scope.calls, CALL],
        computed: count === 0 ? { done: [] } : { ...payload.pack, ...(count === 1 && { outputs }) },
        answered: 0,
        items: items(count),
        failed: [FAILURE, ...failures(1)],
        queue: [{ items: [item(12)] }],
      });
    });
  });
});

describe('the calls of a pack', () => {
  it.each(COUNTS)('begin with %d, and get one more', async (count) => {
    const calls = Array.from({ length: count }, (_, slice) => ({ slice, mbMs: 1, processor: 'x' }));
    const query = expressions.jsonata(expressions.callsWith("'slice': 2"));
    expect(await valueOf(query, { calls, payload: { timing: TIMING } })).toEqual([...calls, CALL]);
    const { processor, ...unknown } = TIMING;
    expect(await valueOf(query, { calls: [], payload: { timing: unknown } })).toEqual([
      { slice: 2, mbMs: 10_200 },
    ]);
    expect(processor).toBe('arm64');
  });
});

describe('after a failure', () => {
  const DEATHS = ['Lambda.Unknown', 'Sandbox.Timedout', 'Runtime.ExitError', 'Runtime.OutOfMemory'];
  const after = async (failure: object, own: readonly PackItem[], waiting = 1, failed = [FAILURE]) =>
    (await valueOf(expressions.afterFailure(false), {
      ...{ failure, items: own, queue: packs(waiting), failed },
    })) as { readonly queue: readonly object[]; readonly failed: readonly object[] };

  it.each(DEATHS.filter((name) => name !== 'Sandbox.Timedout'))(
    'of a function that died with %s, the pack is halved, and each item is in one of the halves',
    async (error) => {
      for (let count = 2; count <= 9; count++) {
        const [own, middle] = [items(count), Math.ceil(count / 2)];
        for (const waiting of COUNTS)
          expect(await after({ Error: error, Cause: 'exit' }, own, waiting)).toEqual({
            queue: [
              { items: own.slice(0, middle), isAlone: middle === 1 },
              { items: own.slice(middle), isAlone: count - middle === 1 },
              ...packs(waiting),
            ],
            failed: [FAILURE],
          });
      }
    },
  );

  it.each([
    { Error: 'Sandbox.Timedout', Cause: 'x' },
    { Error: 'States.Timeout' },
    { Error: 'Lambda.Unknown', Cause: '2026-01-01 Task timed out after 60.00 seconds' },
    { Error: 'Runtime.ExitError', Cause: '{"errorMessage":"Task timed out"}' },
  ])('after %j each item is a pack of its own, because halves would have no time', async (failure) => {
    for (const count of [2, 3, 5]) {
      const own = items(count);
      const { queue } = await after(failure, own);
      const alone = own.map((one) => ({ items: [one], isAlone: true }));
      expect(queue.slice(0, count)).toEqual(expect.arrayContaining(alone));
      expect(queue.slice(count)).toEqual(packs(1));
    }
  });

  it('by time, the order of the items changes, so that those that hang are not always the first', async () => {
    const orders = new Set<string>();
    for (let at = 0; at < 20; at++)
      orders.add(JSON.stringify((await after({ Error: 'States.Timeout' }, items(5))).queue));
    expect(orders.size).toBeGreaterThan(5);
  });

  it('because Lambda is busy, the pack waits behind the others, until the run has no time', async () => {
    const failure = { Error: 'Lambda.TooManyRequestsException', Cause: 'Rate Exceeded.' };
    for (const count of MANY) {
      const scope = { failure, items: items(count), queue: packs(2), failed: [FAILURE] };
      const at = async (seconds: number) =>
        await valueOf(expressions.afterFailure(false), { ...scope, startedAt: Date.now() - 1000 * seconds });
      expect(await at(170)).toEqual({ queue: [...packs(2), { items: items(count) }], failed: [FAILURE] });
      const indices = items(count).map(({ index }) => index);
      const failed = { items: indices, error: failure.Error, cause: failure.Cause };
      expect(await at(181)).toEqual({ queue: packs(2), failed: [FAILURE, failed] });
    }
  });

  it.each(DEATHS)('of a function that died with %s on one item, this item has failed', async (error) => {
    for (const waiting of COUNTS)
      expect(await after({ Error: error, Cause: 'why' }, items(1), waiting, failures(waiting))).toEqual({
        queue: packs(waiting),
        failed: [...failures(waiting), { items: [10], error, cause: 'why' }],
      });
  });

  it.each(MANY)('of another kind, all %d items have failed with its reason', async (count) => {
    const failure = { Error: 'SliceFailed', Cause: '{"errorMessage":"why"}', hint: 'set it' };
    const indices = items(count).map(({ index }) => index);
    expect(await after(failure, items(count))).toEqual({
      queue: packs(1),
      failed: [FAILURE, { items: indices, error: 'SliceFailed', cause: failure.Cause, hint: 'set it' }],
    });
  });

  it('without a cause has its name, and a long cause is cut', async () => {
    expect((await after({ Error: 'E' }, items(2))).failed[1]).toEqual({ items: [10, 11], error: 'E' });
    expect((await after({ Error: 'E', Cause: 'x'.repeat(3000) }, items(1))).failed[1]).toMatchObject({
      cause: 'x'.repeat(2000),
    });
  });

  it.each([
    [false, ', or set itemsPerRun of the batch to 1: each item has 275 seconds then'],
    [true, ''],
  ])(
    'of a call that took all the time of one item, the item has failed with a reason (%p)',
    async (isOne, more) => {
      const failure = { Error: 'States.Timeout', state: 'Slice 03' };
      const scope = { failure, items: items(1), queue: [], failed: [], begun: 1_000, endsAt: 41_000 };
      expect(await valueOf(expressions.afterFailure(isOne).failed, scope)).toEqual([
        {
          items: [10],
          error: 'States.Timeout',
          cause: `Slice 03 took longer than the 40 seconds that its item had: make it faster, for example with more memory${more}`,
        },
      ]);
    },
  );

  it('ends for a poison item among many, with the number of calls that halving takes', async () => {
    let queue: { readonly items: readonly PackItem[] }[] = [{ items: items(100) }];
    let failed: unknown[] = [];
    const done: number[] = [];
    let calls = 0;
    while (queue.length > 0) {
      const next = (await valueOf(expressions.NEXT_PACK, { queue })) as (typeof queue)[0] & {
        queue: typeof queue;
      };
      calls++;
      ({ queue } = next);
      if (next.items.some(({ index }) => index === 47)) {
        const failure = { Error: 'Runtime.ExitError', Cause: 'exit' };
        const state = { failure, items: next.items, queue, failed };
        ({ queue, failed } = (await valueOf(expressions.afterFailure(false), state)) as {
          queue: typeof queue;
          failed: typeof failed;
        });
      } else done.push(...next.items.map(({ index }) => index));
    }
    expect(failed).toEqual([{ items: [47], error: 'Runtime.ExitError', cause: 'exit' }]);
    expect(done.sort((a, b) => a - b)).toEqual(
      items(100)
        .map(({ index }) => index)
        .filter((index) => index !== 47),
    );
    expect(calls).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(100)));
  });
});
