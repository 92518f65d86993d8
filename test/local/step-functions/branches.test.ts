/** Parallel states and inline Maps: inputs, outputs and failures of what runs concurrently. */
import type { Json, JsonObject } from '../../../local/json';
import {
  graph,
  HANG,
  map,
  type MachineOptions,
  parallel,
  PASS,
  run,
  taskState,
} from '../../support/machine-fixture';

/** A branch of one task. */
function branch(name: string, fields: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return graph(name, taskState(fields), more);
}

const TWO = [branch('A'), branch('B')];
const BOOM = graph('Boom', { Type: 'Fail', Error: 'MyError', Cause: 'my cause' });
const BROKEN = { error: 'Broken', cause: 'it was' };
const RETRY = [{ ErrorEquals: ['Broken'], MaxAttempts: 1 }];
const CATCH = [{ ErrorEquals: ['Broken'], Next: 'Q', Output: '{% $states.errorOutput.Error %}' }];

type Case = readonly [string, JsonObject, MachineOptions, object];

/** Reads a variable of the states around it, and has one of its own. */
const adding = (name: string) =>
  branch(
    name,
    { Assign: { [`own${name}`]: '{% $outer + 1 %}' }, Next: `${name}2` },
    { [`${name}2`]: { ...PASS, Output: `{% $own${name} %}` } },
  );
const { P } = parallel([adding('A'), adding('B')]).States as JsonObject;

test.each<Case>([
  [
    'passes its input on, and returns the outputs in the order of the branches',
    parallel(TWO),
    { input: { a: 1 }, attempts: [{ answer: 'first' }, { answer: 'second' }] },
    { payloads: [{ a: 1 }, { a: 1 }], status: 'SUCCEEDED', output: ['first', 'second'] },
  ],
  [
    'passes its Arguments on, and uses the result in Assign and Output',
    parallel(
      TWO,
      {
        Arguments: { b: '{% $states.input.a + 1 %}' },
        Assign: { second: '{% $states.result[1].b %}' },
        Output: '{% $count($states.result) %}',
        Next: 'Q',
      },
      { Q: { ...PASS, Output: ['{% $states.input %}', '{% $second %}'] } },
    ),
    { input: { a: 1 } },
    { output: [2, 2] },
  ],
  [
    'shows its branches the variables of enclosing states',
    graph('S', { Type: 'Pass', Assign: { outer: 1 }, Next: 'P' }, { P }),
    {},
    { output: [2, 2] },
  ],
  [
    'has branches that are retried each by itself',
    parallel([branch('A', { Retry: [{ ErrorEquals: ['Broken'], IntervalSeconds: 7 }] }), branch('B')]),
    { attempts: [BROKEN, { answer: 'b' }, { answer: 'a' }] },
    { output: ['a', 'b'], seconds: 7 },
  ],
])('a Parallel state %s', async (_, definition, options, expected) => {
  expect(await run(definition, options)).toMatchObject(expected);
});

test('the history of a Parallel state continues before the event of its success', async () => {
  const { events } = await run(parallel([graph('A')], { Next: 'Q' }, { Q: PASS }));
  expect(events).toBe(
    'ParallelStateEntered P, ParallelStateStarted, PassStateEntered A, PassStateExited A, ParallelStateSucceeded, ' +
      'ParallelStateExited P, PassStateEntered Q, PassStateExited Q, ExecutionSucceeded',
  );
});

test.each<[string, JsonObject, MachineOptions]>([
  ['retried', parallel([BOOM], { Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }] }), {}],
  ['stopped by another branch', parallel([branch('A'), BOOM]), { attempts: [HANG] }],
])('the history of a Parallel state ends with its failure if it is %s', async (_, definition, options) => {
  const { events, execution } = await run(definition, options);
  expect(events).toMatch(/ParallelStateFailed, ExecutionFailed$/);
  expect(execution.end).toMatchObject({ error: 'MyError', cause: 'my cause' });
});

describe('a Map', () => {
  const selecting = map({
    Items: ['{% $states.input.items[1] %}', 'c'],
    ItemSelector: { item: '{% $states.context.Map.Item %}', all: '{% $count($states.input.items) %}' },
  });
  const item = graph('I', { ...PASS, Output: '{% $states.context.Map.Item %}' });
  const after = { ...PASS, Output: ['{% $states.input %}', '{% $exists($states.context.Map) %}'] };
  const index = graph('In', { ...PASS, Output: '{% $states.context.Map.Item.Index %}' });
  const nested = parallel([map({}, {}, graph('O', { Type: 'Parallel', Branches: [index], End: true }))]);

  test.each<Case>([
    [
      'runs its processor for each item of its input, and returns the outputs in order',
      map(),
      { input: ['a', 'b', 'c'] },
      { payloads: ['a', 'b', 'c'], status: 'SUCCEEDED', output: ['a', 'b', 'c'] },
    ],
    [
      'takes its items from an array, and selects the input of an iteration from the item, its index and the input',
      selecting,
      { input: { items: ['a', 'b'] } },
      { output: ['b', 'c'].map((Value, Index) => ({ item: { Index, Value }, all: 2 })) },
    ],
    [
      'shows the item in the context of its iteration, but not after it',
      map({ Next: 'After' }, { After: after }, item),
      { input: ['a'] },
      { output: [[{ Index: 0, Value: 'a' }], false] },
    ],
    [
      'of no items returns an empty array',
      map(),
      { input: [] },
      {
        output: [],
        events: 'MapStateEntered M, MapStateStarted, MapStateSucceeded, MapStateExited M, ExecutionSucceeded',
      },
    ],
    [
      'can be inside a branch, and the other way round',
      nested,
      { input: ['a', 'b'] },
      { output: [[[0], [1]]] },
    ],
    [
      'ends its other iterations after a failure, and starts no more',
      map({ MaxConcurrency: 2 }),
      { input: ['a', 'b', 'c'], attempts: [HANG, BROKEN] },
      { status: 'FAILED', ...BROKEN, payloads: ['a', 'b'] },
    ],
    [
      'is retried with all iterations, and then caught',
      map({ Retry: RETRY, Catch: CATCH }, { Q: PASS }),
      { input: ['a', 'b'], attempts: [{ answer: 0 }, BROKEN, { answer: 0 }, BROKEN] },
      { status: 'SUCCEEDED', output: 'Broken', payloads: ['a', 'b', 'a', 'b'] },
    ],
  ])('%s', async (_, definition, options, expected) => {
    expect(await run(definition, options)).toMatchObject(expected);
  });

  test.each<[string, JsonObject, number]>([
    ['MaxConcurrency', { MaxConcurrency: 2 }, 2],
    ['MaxConcurrency of an expression', { MaxConcurrency: '{% $states.input[0] %}' }, 3],
    ['40 without MaxConcurrency', {}, 40],
    ['40 with a larger MaxConcurrency', { MaxConcurrency: 100 }, 40],
  ])('runs at most %s iterations at once', async (_, fields, expected) => {
    const input = Array.from({ length: 50 }, () => 3);
    const attempts = input.map(() => HANG as typeof HANG);
    const { payloads } = await run({ ...map(fields), TimeoutSeconds: 1 }, { attempts, input });
    expect(payloads).toHaveLength(expected);
  });

  test.each<[JsonObject, Json, string]>([
    [{ Items: '{% $states.input %}' }, 5, "Expected 'array', but was 'number' for value: 5"],
    [{}, { a: 1 }, 'Map state input must be an array but was: {"a":1}'],
    [{ Items: '{% $states.input.x %}' }, {}, "the field 'Items' returned nothing"],
    [{ MaxConcurrency: '{% -1 %}' }, [1], "The field 'MaxConcurrency' expects an integer"],
    [{ ItemSelector: { a: '{% $states.input.x %}' } }, [1], "the field 'ItemSelector/a'"],
  ])('with %j fails for %j before any iteration', async (fields, input, reason) => {
    expect(await run(map(fields), { input })).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining(reason) as string,
      events: 'MapStateEntered M, MapStateFailed, ExecutionFailed',
    });
  });
});
