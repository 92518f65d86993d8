/** The expressions of a child around functions of the user, evaluated for lists of no, one, two and many elements. */
import type { PackFailure } from '../../../contract/batch-pack';
import * as expressions from '../../../lib/batch/expressions';
import { MAX_ITEMS_PER_RUN } from '../../../lib/cost/batch-limits';
import {
  CALL,
  COUNTS,
  FAILURE,
  failures,
  item,
  items,
  MANY,
  packs,
  valueOf,
} from '../../support/expression-value';

describe('what a preprocess function gets', () => {
  type Of = Parameters<typeof expressions.handledItem> extends [string, ...infer Rest] ? Rest : never;
  const ENDS_AT = 2_000_000_000_000;
  const pack = async (values: readonly unknown[], ...of: Of) => {
    const own = values.map((value, index) => ({ index, value }));
    const query = expressions.packToHandle(1, ...of);
    const { until, ...rest } = (await valueOf(query, { items: own, endsAt: ENDS_AT })) as { until: number };
    expect(until).toBe(ENDS_AT);
    return rest;
  };

  it('ends with its share of the time', async () => {
    const endsAt = Date.now() + 60_000;
    const query = expressions.packToHandle(3, 'objects', 'b');
    const { until } = (await valueOf(query, { items: items(1), endsAt })) as { until: number };
    expect(endsAt - until).toBeGreaterThan(39_000);
    expect(endsAt - until).toBeLessThanOrEqual(40_001);
  });

  it.each(MANY)('of %d objects are their places, and their ETags in the list', async (count) => {
    const places = items(count).map(({ index }) => ({ bucket: 'b', key: `inputs/${index}`, etag: '"1"' }));
    const values = items(count).map(({ value }) => ({ ...(value as object), Etag: '"1"' }));
    expect(await pack(values, 'objects', 'b')).toEqual({ pack: places });
  });

  it('of an inventory are the bucket of the row and the decoded key', async () => {
    const values = [{ Bucket: 'scans', Key: 'a+b%2Bc%C3%BC' }, { Key: 'plain' }];
    const places = [
      { bucket: 'scans', key: 'a b+cü' },
      { bucket: 'b', key: 'plain' },
    ];
    expect(await pack(values, 'inventory', 'b')).toEqual({ pack: places });
    expect(await pack(values.slice(1), 'inventory', 'b')).toEqual({ pack: places.slice(1) });
  });

  it('of rows are the columns, without a byte order mark', async () => {
    const values = [{ '\ufeffkey': 'a', note: 'x' }, { key: 'b' }];
    const rows = [{ key: 'a', note: 'x' }, { key: 'b' }];
    expect(await pack(values, 'csv', 'b')).toEqual({ pack: rows });
    expect(await pack(values.slice(1), 'csv', 'b')).toEqual({ pack: rows.slice(1) });
  });

  it.each<[unknown[]]>([[[{ a: [1] }]], [[[1, 2, 3]]], [[[]]], [[null]], [['x', null, [1], [], {}]]])(
    'of the lines %j are these lines',
    async (values) => {
      expect(await pack(values, 'jsonLines', 'b')).toEqual({ pack: values });
    },
  );

  it('of one item alone is the item', async () => {
    const own = async (value: unknown, ...of: Of) => {
      const query = expressions.jsonata(expressions.handledItem('$items[0].value', ...of));
      return await valueOf(query, { items: [{ index: 0, value }] });
    };
    expect(await own({ Key: 'a' }, 'objects', 'b')).toEqual({ bucket: 'b', key: 'a' });
    expect(await own([1, 2], 'jsonLines', 'b')).toEqual([1, 2]);
    expect(await own([], 'jsonLines', 'b')).toEqual([]);
  });
});

describe('after a preprocess function', () => {
  const scope = { failed: [FAILURE], queue: packs(1) };
  const request = (at: number) => ({ version: 1, inputs: { s3: `inputs/made ${at}` } });

  it.each(MANY)('that answered all of %d items, these have their requests', async (count) => {
    const payload = { pack: items(count).map((_, at) => ({ value: request(at) })) };
    expect(
      await valueOf(expressions.afterPreprocess(false), { ...scope, items: items(count), payload }),
    ).toEqual({
      items: items(count).map((own, at) => ({ ...own, request: request(at) })),
      failed: [FAILURE],
      queue: packs(1),
    });
  });

  it.each(MANY)('that answered %d of six items, the others are the next pack', async (count) => {
    const own = items(6);
    const payload = { pack: own.slice(0, count).map((_, at) => ({ value: request(at) })) };
    expect(await valueOf(expressions.afterPreprocess(false), { ...scope, items: own, payload })).toEqual({
      items: own.slice(0, count).map((one, at) => ({ ...one, request: request(at) })),
      failed: [FAILURE],
      queue: [{ items: own.slice(count) }, ...packs(1)],
    });
  });

  it.each<[string, readonly number[]]>([
    ['the first', [0]],
    ['the last', [2]],
    ['two', [0, 2]],
    ['all', [0, 1, 2]],
  ])('that failed on %s of three items, only these fail', async (_, bad) => {
    const own = items(3);
    const failure = { error: 'TypeError', message: 'no picture' };
    const pack = own.map((_one, at) => (bad.includes(at) ? { failure } : { value: request(at) }));
    expect(
      await valueOf(expressions.afterPreprocess(false), { ...scope, items: own, payload: { pack } }),
    ).toEqual({
      items: own.flatMap((one, at) => (bad.includes(at) ? [] : [{ ...one, request: request(at) }])),
      failed: [FAILURE, ...bad.map((at) => ({ items: [10 + at], error: 'TypeError', cause: 'no picture' }))],
      queue: packs(1),
    });
  });

  it.each([
    ['m', 280, 60],
    ['"', 70, 15],
    ['\\', 70, 15],
    ['é', 70, 15],
    ['界', 70, 15],
    ['😀', 70, 15],
    ['\u0007', 46, 10],
    ['\n', 46, 10],
  ])(
    'the failures of the largest pack with long messages of %j fit into a state',
    async (character, most, mostOfName) => {
      const own = items(MAX_ITEMS_PER_RUN);
      const text = character.repeat(300);
      const payload = { pack: own.map(() => ({ failure: { error: text, message: text } })) };
      const scope = { failed: [], queue: [], items: own, payload };
      const { failed } = (await valueOf(expressions.afterPreprocess(false), scope)) as {
        failed: PackFailure[];
      };
      expect(failed).toHaveLength(own.length);
      expect(Buffer.byteLength(JSON.stringify(failed))).toBeLessThan(205 * 1024);
      expect(text.startsWith(failed[0].cause)).toBe(true);
      expect(Array.from(failed[0].cause)).toHaveLength(most);
      expect(Array.from(failed[0].error)).toHaveLength(mostOfName);
    },
  );

  it.each([null, [], {}, 0, 's'])('that answered %j for an item, this is its request', async (value) => {
    const one = expressions.afterPreprocess(true);
    expect(await valueOf(one, { ...scope, items: items(1), payload: value })).toMatchObject({
      items: [{ ...item(10), request: value }],
      failed: [FAILURE],
      queue: packs(1),
    });
    const many = expressions.afterPreprocess(false);
    const payload = { pack: [{ value }] };
    expect(await valueOf(many, { ...scope, items: items(1), payload })).toMatchObject({
      items: [{ ...item(10), request: value }],
    });
  });
});

describe('a function that answers no pack', () => {
  it.each([
    null,
    'text',
    [{ value: 1 }],
    { version: 1 },
    { pack: [] },
    { pack: null },
    { pack: 'x' },
    { pack: [[1]] },
    { pack: [{ bucket: 'b', key: 'what it got' }] },
    { pack: [{ value: 1 }, { key: 'what it got' }] },
    // More than it got.
    { pack: [{ value: 1 }, { value: 2 }, { value: 3 }] },
  ])('but %j is told what to do', async (payload) => {
    const computed = { done: [10, 11, 12, 13, 14] };
    const scope = { payload, items: items(2), failed: [], queue: [], computed, answered: 3 };
    for (const query of Object.values(expressions.afterPreprocess(false)))
      await expect(valueOf(query, scope)).rejects.toThrow(
        'the preprocess function must answer a pack: make it',
      );
    await expect(valueOf(expressions.answersOfPostprocess(false), scope)).rejects.toThrow(
      'the postprocess function must answer a pack: make it',
    );
  });

  it('or fails with an error of its own gets a hint, unless a handler of this package says its step', async () => {
    const unknown = { Error: 'TypeError', Cause: '{"errorMessage":"key is not defined"}' };
    const hinted = (await valueOf(expressions.failureOf(true), { errorOutput: unknown })) as { hint: string };
    expect(hinted).toEqual({ ...unknown, state: 'Slice 03', hint: hinted.hint });
    expect(hinted.hint).toMatch(
      /^a function that gets a pack must answer a pack: .* set itemsPerRun of the batch to 1$/,
    );
    const own = { Error: 'TypeError', Cause: String.raw`{"errorMessage":"{\"step\":\"preprocess\"}"}` };
    expect(await valueOf(expressions.failureOf(true), { errorOutput: own })).toEqual({
      ...own,
      state: 'Slice 03',
    });
    const other = { Error: 'TypeError', Cause: '{"errorMessage":"this step has no \\"steps\\""}' };
    expect(await valueOf(expressions.failureOf(true), { errorOutput: other })).toEqual({
      ...other,
      state: 'Slice 03',
      hint: hinted.hint,
    });
    const silent = { Error: 'Runtime.ExitError' };
    expect(await valueOf(expressions.failureOf(true), { errorOutput: silent })).toMatchObject(silent);
  });
});

describe('what a postprocess function gets', () => {
  const identity = "{'version': 1, 'run': $run}";
  const computed = (count: number) => ({ result: 'the key', done: items(count).map(({ index }) => index) });
  const output = (entry: number) => ({
    ...{ version: 1, run: 'a/b', timings: [] },
    outputs: { s3: { bucket: 'b', key: 'the key' }, entry },
  });

  it.each(MANY)('of %d results are those that it has not answered', async (count) => {
    const query = expressions.outputsToHandle(identity, 'b', false);
    const all = Array.from({ length: count }, (_, entry) => output(entry));
    for (let answered = 0; answered < count; answered++)
      expect(await valueOf(query, { run: 'a/b', computed: computed(count), answered })).toEqual({
        pack: all.slice(answered),
      });
  });

  it('of one item alone is its output, with the tensors', async () => {
    const query = expressions.outputsToHandle(identity, 'b', true);
    const outputs = { s3: { bucket: 'b', key: 'the key' }, entry: 0, tensors: { y: { data: [1] } } };
    expect(await valueOf(query, { run: 'a/b', computed: { ...computed(1), outputs } })).toEqual({
      ...{ version: 1, run: 'a/b', timings: [], outputs },
    });
  });

  it.each(COUNTS)('ends after %d answers', async (count) => {
    for (let answered = 0; answered <= count; answered++) {
      const scope = { computed: count === 0 ? { done: [] } : computed(count), answered };
      expect(await valueOf(expressions.HAS_OUTPUTS, scope)).toBe(answered < count);
    }
  });
});

test.each([
  [0, 1, false],
  [1, 1, true],
  [1, 40, false],
  [2, 1, false],
])('after %d of two answers, %d s before the end, the others wait: %p', async (answered, left, expected) => {
  const own = items(2).slice(answered);
  const scope = { answered, items: own, endsAt: Date.now() + 1000 * left, queue: packs(1) };
  expect(await valueOf(expressions.HANDS_BACK, scope)).toBe(expected);
  expect(await valueOf(expressions.HANDED_BACK.queue, scope)).toEqual([
    ...(own.length > 0 ? [{ items: own }] : []),
    ...packs(1),
  ]);
});

describe('the answers of a postprocess function', () => {
  it.each(MANY)('are %d of a pack, or one of an item alone', async (count) => {
    const pack = Array.from({ length: count }, (_, at) => ({ value: [at] }));
    const scope = { computed: { done: items(count + 1) }, answered: 1 };
    const query = expressions.answersOfPostprocess(false);
    expect(await valueOf(query, { ...scope, payload: { pack } })).toEqual(pack);
    expect(await valueOf(query, { ...scope, payload: { pack: pack.slice(0, 1) } })).toEqual([pack[0]]);
    for (const payload of [null, [], [1], 'x', { pack }])
      expect(await valueOf(expressions.answersOfPostprocess(true), { payload })).toEqual([
        { value: payload },
      ]);
  });

  it.each(MANY)('are stored with the indices of the items from the first of %d on', async (count) => {
    const done = items(count).map(({ index }) => index);
    for (let answered = 0; answered < count; answered++) {
      const answers = done.slice(answered).map((value) => ({ value }));
      const scope = { computed: { result: 'the key', done }, answered, answers, prefix: 'p/', salt: 's' };
      expect(await valueOf(expressions.ANSWERS_TO_STORE, scope)).toEqual({
        ...{
          result: 'the key',
          items: done.slice(answered),
          from: answered,
          answers,
          prefix: 'p/',
          salt: 's',
        },
      });
    }
  });

  const before = { key: 'before', items: [1], ms: 1, calls: [CALL] };
  const stored = { key: 'stored', items: [10, 11] };

  it.each(COUNTS)('follow %d results when they were stored, with the calls of the pack', async (count) => {
    const results = Array.from({ length: count }, () => before);
    const scope = {
      results,
      failed: [FAILURE],
      answered: 0,
      answers: [{ value: 1 }, { value: 2 }],
      items: items(5),
      begun: 0,
    };
    const payload = { results: [stored], failed: [] };
    expect(await valueOf(expressions.AFTER_STORE, { ...scope, calls: [CALL, CALL], payload })).toEqual({
      results: [...results, { ...stored, ms: expect.any(Number) as number, calls: [CALL, CALL] }],
      calls: [],
      begun: expect.any(Number) as number,
      failed: [FAILURE],
      answered: 2,
      items: items(5).slice(2),
    });
  });

  it('have the calls of the pack once, with the first of them that has a result', async () => {
    const answers = [{ value: 1 }];
    const scope = { results: [], failed: [], answered: 0, answers, items: items(3), begun: 0, calls: [CALL] };
    const none = { results: [], failed: failures(1) };
    const first = (await valueOf(expressions.AFTER_STORE, { ...scope, payload: none })) as typeof scope;
    expect(first).toEqual({
      ...{ results: [], calls: [CALL], failed: failures(1), answered: 1, begun: 0 },
      items: items(3).slice(1),
    });
    const some = { results: [stored], failed: [] };
    const state = { ...scope, ...first, payload: some };
    const second = (await valueOf(expressions.AFTER_STORE, state)) as typeof scope;
    expect(second).toMatchObject({ results: [{ ...stored, calls: [CALL] }], calls: [], answered: 2 });
    // The time of each part begins where the one before has ended.
    expect(Date.now() - second.begun).toBeLessThan(60_000);
    const third = await valueOf(expressions.AFTER_STORE, { ...scope, ...second, payload: some });
    expect(third).toMatchObject({
      results: [{ calls: [CALL] }, { ...stored, calls: [] }],
      answered: 3,
    });
  });

  it.each(COUNTS)('may have %d failures', async (count) => {
    const scope = {
      results: [],
      failed: failures(count, 7),
      answered: 3,
      answers: [{}],
      items: items(1),
      begun: 0,
      calls: [],
    };
    const payload = { results: [], failed: failures(count) };
    expect(await valueOf(expressions.AFTER_STORE, { ...scope, payload })).toEqual({
      ...{ results: [], calls: [], answered: 4, begun: 0, items: [] },
      failed: [...failures(count, 7), ...failures(count)],
    });
  });
});
