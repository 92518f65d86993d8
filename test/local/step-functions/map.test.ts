/** Inline Map states: items, concurrency, failures and their events. */
import type { Json, JsonObject } from '../../../local/json';
import { graph, HANG, machine, map, parallel, PASS, recorded, run } from '../../support/machine-fixture';

const UNDEFINED_OUTPUT = graph('U', { ...PASS, Output: { v: '{% $states.input.missing %}' } });

describe('a Map', () => {
  test('runs its processor for each item of its input, and returns the outputs in order', async () => {
    const { result, payloads } = await run(map(), { input: ['a', 'b', 'c'] });
    expect(payloads).toEqual(['a', 'b', 'c']);
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: ['a', 'b', 'c'] });
  });

  test.each<[string, Json]>([
    ['an expression', '{% $states.input.items %}'],
    ['a literal array', [1, '{% $states.input.items[1] %}']],
  ])('takes its items from %s', async (_, Items) => {
    const { result } = await run(map({ Items }), { input: { items: [1, 2] } });
    expect(result).toMatchObject({ output: [1, 2] });
  });

  test('selects the input of an iteration from the item, its index and the variables', async () => {
    const definition = map({
      Items: '{% $states.input.items %}',
      ItemSelector: {
        value: '{% $states.context.Map.Item.Value %}',
        index: '{% $states.context.Map.Item.Index %}',
        all: '{% $count($states.input.items) %}',
      },
    });
    const { result } = await run(definition, { input: { items: ['a', 'b'] } });
    expect(result).toMatchObject({
      output: [
        { value: 'a', index: 0, all: 2 },
        { value: 'b', index: 1, all: 2 },
      ],
    });
  });

  test('shows the item in the context of its iteration, but not after it', async () => {
    const inner = graph('I', { ...PASS, Output: '{% $states.context.Map.Item %}' });
    const after = { ...PASS, Output: ['{% $states.input %}', '{% $exists($states.context.Map) %}'] };
    const { result } = await run(map({ Next: 'After' }, { After: after }, inner), { input: ['a'] });
    expect(result).toMatchObject({ output: [[{ Index: 0, Value: 'a' }], false] });
  });

  test('of no items returns an empty array', async () => {
    const { result, events } = await recorded(map(), { input: [] });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: [] });
    expect(events).toEqual([
      '1<0 ExecutionStarted',
      '2<0 MapStateEntered M',
      '3<2 MapStateStarted',
      '4<3 MapStateSucceeded',
      '5<3 MapStateExited M',
      '6<5 ExecutionSucceeded',
    ]);
  });

  test.each<[string, Json | undefined, number]>([
    ['at most MaxConcurrency', 2, 2],
    ['at most MaxConcurrency of an expression', '{% $states.input[0] %}', 3],
    ['at most 40 without MaxConcurrency', undefined, 40],
    ['at most 40 with a MaxConcurrency of 0', 0, 40],
    ['at most 40 with a larger MaxConcurrency', 100, 40],
  ])('runs %s iterations at once', async (_, MaxConcurrency, expected) => {
    const attempts = Array.from({ length: 50 }, () => HANG as typeof HANG);
    const fields = MaxConcurrency === undefined ? {} : { MaxConcurrency };
    const { start, payloads } = machine(
      { ...map(fields), TimeoutSeconds: 1 },
      {
        attempts,
        input: Array.from({ length: 50 }, () => 3),
      },
    );
    await start().result;
    expect(payloads).toHaveLength(expected);
  });

  test('can be inside a branch, with a branch inside of it', async () => {
    const branch = graph('In', { ...PASS, Output: '{% $states.context.Map.Item.Index %}' });
    const definition = parallel([
      map({}, {}, graph('O', { Type: 'Parallel', Branches: [branch], End: true })),
    ]);
    const { result } = await run(definition, { input: ['a', 'b'] });
    expect(result).toMatchObject({ output: [[[0], [1]]] });
  });
});

describe('a failure in a Map', () => {
  test('ends the other iterations, starts no more, and fails the run with its own error', async () => {
    const { start, payloads } = machine(map({ MaxConcurrency: 2 }), {
      input: ['a', 'b', 'c'],
      attempts: [HANG, { error: 'Broken', cause: 'it was' }],
    });
    expect(await start().result).toMatchObject({ status: 'FAILED', error: 'Broken', cause: 'it was' });
    expect(payloads).toEqual(['a', 'b']);
  });

  test('is retried with all iterations, and then caught', async () => {
    const fields = {
      Retry: [{ ErrorEquals: ['Broken'], MaxAttempts: 1 }],
      Catch: [{ ErrorEquals: ['Broken'], Next: 'Q', Output: '{% $states.errorOutput.Error %}' }],
    };
    const after = { Q: PASS };
    const { result, payloads } = await run(map(fields, after), {
      input: ['a', 'b'],
      attempts: [{ answer: 0 }, { error: 'Broken' }, { answer: 0 }, { error: 'Broken' }],
    });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: 'Broken' });
    expect(payloads).toEqual(['a', 'b', 'a', 'b']);
  });

  test('of an expression is recorded as AWS records it', async () => {
    const { events } = await recorded(map({ MaxConcurrency: 1 }, {}, UNDEFINED_OUTPUT), { input: [1, 2] });
    expect(events).toEqual([
      '1<0 ExecutionStarted',
      '2<0 MapStateEntered M',
      '3<2 MapStateStarted',
      '4<3 MapIterationStarted M 0',
      '5<4 PassStateEntered U',
      '6<5 EvaluationFailed',
      '7<6 MapIterationFailed M 0',
      '8<6 MapStateFailed',
      '9<8 ExecutionFailed',
    ]);
  });

  test('of a task aborts the other iterations', async () => {
    const { events } = await recorded(map({ MaxConcurrency: 2 }), {
      input: [1, 2],
      attempts: [{ error: 'Broken' }, HANG],
    });
    const failed = events.findIndex((line) => line.includes('TaskFailed')) + 1;
    expect(events.slice(failed)).toEqual([
      `${failed + 1}<${failed} MapIterationFailed M 0`,
      `${failed + 2}<${failed} TaskStateAborted`,
      `${failed + 3}<${failed} MapIterationAborted M 1`,
      `${failed + 4}<${failed} TaskStateAborted`,
      `${failed + 5}<${failed} MapStateFailed`,
      `${failed + 6}<${failed + 5} ExecutionFailed`,
    ]);
  });

  test.each<[string, JsonObject, Json, string]>([
    [
      'items that are not an array',
      { Items: '{% $states.input %}' },
      5,
      "Expected 'array', but was 'number' for value: 5",
    ],
    ['an input that is not an array', {}, { a: 1 }, 'Map state input must be an array but was: {"a":1}'],
    ['missing items', { Items: '{% $states.input.x %}' }, {}, "the field 'Items' returned nothing"],
    [
      'a concurrency below 0',
      { MaxConcurrency: '{% -1 %}' },
      [1],
      "The field 'MaxConcurrency' expects an integer",
    ],
    [
      'a failing ItemSelector',
      { ItemSelector: { a: '{% $states.input.x %}' } },
      [1],
      "the field 'ItemSelector/a'",
    ],
  ])(
    'because of %s is a States.QueryEvaluationError before any iteration',
    async (_, fields, input, reason) => {
      const { result, events } = await recorded(map(fields), { input });
      expect(result).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
      expect(result).toHaveProperty('cause', expect.stringContaining(reason));
      expect(events.slice(1)).toEqual([
        '2<0 MapStateEntered M',
        '3<2 EvaluationFailed',
        '4<3 MapStateFailed',
        '5<4 ExecutionFailed',
      ]);
    },
  );
});

test('iterations are recorded on chains of their own', async () => {
  const two = graph('I', { Type: 'Pass', Next: 'J' }, { J: PASS });
  const { events } = await recorded(map({ MaxConcurrency: 1, Next: 'After' }, { After: PASS }, two), {
    input: [1, 2],
  });
  expect(events).toEqual([
    '1<0 ExecutionStarted',
    '2<0 MapStateEntered M',
    '3<2 MapStateStarted',
    '4<3 MapIterationStarted M 0',
    '5<4 PassStateEntered I',
    '6<5 PassStateExited I',
    '7<6 PassStateEntered J',
    '8<7 PassStateExited J',
    '9<8 MapIterationSucceeded M 0',
    '10<3 MapIterationStarted M 1',
    '11<10 PassStateEntered I',
    '12<11 PassStateExited I',
    '13<12 PassStateEntered J',
    '14<13 PassStateExited J',
    '15<14 MapIterationSucceeded M 1',
    '16<15 MapStateSucceeded',
    '17<15 MapStateExited M',
    '18<17 PassStateEntered After',
    '19<18 PassStateExited After',
    '20<19 ExecutionSucceeded',
  ]);
});
