/** Parallel states and inline Maps: inputs, outputs, failures and the events of what runs concurrently. */
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
const UNDEFINED_OUTPUT = graph('U', { ...PASS, Output: { v: '{% $states.input.missing %}' } });
const BROKEN = { error: 'Broken', cause: 'it was' };
const RETRY = [{ ErrorEquals: ['Broken'], MaxAttempts: 1 }];
const CATCH = [{ ErrorEquals: ['Broken'], Next: 'Q', Output: '{% $states.errorOutput.Error %}' }];
const FAILED = { status: 'FAILED', ...BROKEN };

type Case = readonly [string, JsonObject, MachineOptions, object];

describe('a Parallel state', () => {
  /** Reads a variable of the states around it, and has one of its own. */
  const adding = (name: string) =>
    branch(
      name,
      { Assign: { [`own${name}`]: '{% $outer + 1 %}' }, Next: `${name}2` },
      { [`${name}2`]: { ...PASS, Output: `{% $own${name} %}` } },
    );
  const { P } = parallel([adding('A'), adding('B')]).States as JsonObject;
  const failing = branch(
    'A',
    { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'F', Assign: { failure: '{% $states.errorOutput %}' } }] },
    { F: { Type: 'Fail', Error: '{% $failure.Error %}', Cause: 'told' } },
  );

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
    ['fails as its first failed branch', parallel(TWO), { attempts: [HANG, BROKEN] }, FAILED],
    [
      'fails with a Fail state in a branch',
      parallel([failing, branch('B')]),
      { attempts: [BROKEN, HANG] },
      { status: 'FAILED', error: 'Broken', cause: 'told' },
    ],
    [
      'is retried with all branches',
      parallel(TWO, { Retry: RETRY }),
      { attempts: [BROKEN, { answer: 0 }, { answer: 1 }, { answer: 2 }] },
      { output: [1, 2] },
    ],
    [
      'catches the failure of a branch',
      parallel(TWO, { Catch: CATCH }, { Q: PASS }),
      { attempts: [BROKEN] },
      { status: 'SUCCEEDED', output: 'Broken' },
    ],
    [
      'has branches that are retried each by itself',
      parallel([branch('A', { Retry: [{ ErrorEquals: ['Broken'], IntervalSeconds: 7 }] }), branch('B')]),
      { attempts: [BROKEN, { answer: 'b' }, { answer: 'a' }] },
      { output: ['a', 'b'], seconds: 7 },
    ],
  ])('%s', async (_, definition, options, expected) => {
    expect(await run(definition, options)).toMatchObject(expected);
  });
});

describe('the history of a Parallel state', () => {
  const large = graph('Large', { ...PASS, Output: '{% $pad("", 262200, "x") %}' });
  const deep = graph('Deep', { Type: 'Wait', Seconds: 9, End: true });
  const nested = graph('Inner', { Type: 'Parallel', Branches: [deep], End: true });
  const catching = (fields: JsonObject) => ({
    Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Q', ...fields }],
  });

  test.each<[string, JsonObject, MachineOptions, readonly string[]]>([
    [
      'continues before the event of its success',
      parallel([graph('A')], { Next: 'Q' }, { Q: PASS }),
      {},
      [
        '2<0 ParallelStateEntered P, ParallelStateStarted, PassStateEntered A, PassStateExited A, ParallelStateSucceeded',
        '7<5 ParallelStateExited P, PassStateEntered Q, PassStateExited Q, ExecutionSucceeded',
      ],
    ],
    [
      'names a failed branch before the state that it fails',
      parallel([BOOM]),
      {},
      [
        '2<0 ParallelStateEntered P, ParallelStateStarted, FailStateEntered Boom, ParallelStateFailed, ExecutionFailed',
      ],
    ],
    [
      'starts the branches again for a retry',
      parallel([BOOM], { Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }] }),
      {},
      [
        '2<0 ParallelStateEntered P, ParallelStateStarted, FailStateEntered Boom, ' +
          'ParallelStateStarted, FailStateEntered Boom, ParallelStateFailed, ExecutionFailed',
      ],
    ],
    [
      'has no more events for an error that nothing catches',
      parallel([large], catching({}), { Q: PASS }),
      {},
      ['2<0 ParallelStateEntered P, ParallelStateStarted, PassStateEntered Large, ExecutionFailed'],
    ],
    [
      'has the failure of a catch after the failure that it caught',
      parallel([BOOM], catching({ Output: { v: '{% $states.input.missing %}' } }), { Q: PASS }),
      {},
      [
        '2<0 ParallelStateEntered P, ParallelStateStarted, FailStateEntered Boom, ParallelStateFailed',
        '6<4 EvaluationFailed, ParallelStateFailed, ExecutionFailed',
      ],
    ],
    [
      'aborts what runs in the other branches, from the inside out',
      parallel([branch('Quick'), branch('Slow'), nested], catching({}), { Q: PASS }),
      { attempts: [BROKEN, HANG] },
      [
        '2<0 ParallelStateEntered P, ParallelStateStarted, TaskStateEntered Quick',
        '5<3 TaskStateEntered Slow',
        '6<3 ParallelStateEntered Inner, ParallelStateStarted, WaitStateEntered Deep',
        '9<4 TaskScheduled, TaskStarted',
        '11<5 TaskScheduled, TaskStarted',
        '13<10 TaskFailed, TaskStateAborted',
        '15<13 TaskStateAborted',
        '16<13 WaitStateAborted',
        '17<13 ParallelStateAborted',
        '18<13 ParallelStateFailed, ParallelStateExited P, PassStateEntered Q, PassStateExited Q, ExecutionSucceeded',
      ],
    ],
  ])('%s', async (_, definition, options, events) => {
    expect((await run(definition, options)).events).toEqual(events);
  });

  test('names the catch that failed, and the failure of a branch', async () => {
    const output = { Output: { v: '{% $states.input.missing %}' } };
    const caught = await run(parallel([BOOM], catching(output), { Q: PASS }));
    const location = 'Catch[0]/Output/v';
    expect(caught.execution.history.events[5].details).toMatchObject({ location, state: 'P' });
    const { execution } = await run(parallel([BOOM]));
    expect(execution.history.events[5].details).toEqual({ error: 'MyError', cause: 'my cause' });
  });
});

describe('a Map', () => {
  const selecting = map({
    Items: '{% $states.input.items %}',
    ItemSelector: {
      value: '{% $states.context.Map.Item.Value %}',
      index: '{% $states.context.Map.Item.Index %}',
      all: '{% $count($states.input.items) %}',
    },
  });
  const item = graph('I', { ...PASS, Output: '{% $states.context.Map.Item %}' });
  const after = { ...PASS, Output: ['{% $states.input %}', '{% $exists($states.context.Map) %}'] };
  const index = graph('In', { ...PASS, Output: '{% $states.context.Map.Item.Index %}' });
  const nested = parallel([map({}, {}, graph('O', { Type: 'Parallel', Branches: [index], End: true }))]);
  const twoStates = graph('I', { Type: 'Pass', Next: 'J' }, { J: PASS });

  test.each<Case>([
    [
      'runs its processor for each item of its input, and returns the outputs in order',
      map(),
      { input: ['a', 'b', 'c'] },
      { payloads: ['a', 'b', 'c'], status: 'SUCCEEDED', output: ['a', 'b', 'c'] },
    ],
    [
      'takes its items from an expression',
      map({ Items: '{% $states.input.items %}' }),
      { input: { items: [1, 2] } },
      { output: [1, 2] },
    ],
    [
      'takes its items from an array',
      map({ Items: [1, '{% $states.input.items[1] %}'] }),
      { input: { items: [1, 2] } },
      { output: [1, 2] },
    ],
    [
      'selects the input of an iteration from the item, its index and the variables',
      selecting,
      { input: { items: ['a', 'b'] } },
      {
        output: [
          { value: 'a', index: 0, all: 2 },
          { value: 'b', index: 1, all: 2 },
        ],
      },
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
        events: [
          '2<0 MapStateEntered M, MapStateStarted, MapStateSucceeded',
          '5<3 MapStateExited M, ExecutionSucceeded',
        ],
      },
    ],
    [
      'can be inside a branch, and the other way round',
      nested,
      { input: ['a', 'b'] },
      { output: [[[0], [1]]] },
    ],
    [
      'records its iterations on chains of their own',
      map({ MaxConcurrency: 1, Next: 'After' }, { After: PASS }, twoStates),
      { input: [1, 2] },
      {
        events: [
          '2<0 MapStateEntered M, MapStateStarted, MapIterationStarted M 0, PassStateEntered I, PassStateExited I, ' +
            'PassStateEntered J, PassStateExited J, MapIterationSucceeded M 0',
          '10<3 MapIterationStarted M 1, PassStateEntered I, PassStateExited I, ' +
            'PassStateEntered J, PassStateExited J, MapIterationSucceeded M 1, MapStateSucceeded',
          '17<15 MapStateExited M, PassStateEntered After, PassStateExited After, ExecutionSucceeded',
        ],
      },
    ],
    [
      'ends its other iterations after a failure, and starts no more',
      map({ MaxConcurrency: 2 }),
      { input: ['a', 'b', 'c'], attempts: [HANG, BROKEN] },
      { ...FAILED, payloads: ['a', 'b'] },
    ],
    [
      'is retried with all iterations, and then caught',
      map({ Retry: RETRY, Catch: CATCH }, { Q: PASS }),
      { input: ['a', 'b'], attempts: [{ answer: 0 }, BROKEN, { answer: 0 }, BROKEN] },
      { status: 'SUCCEEDED', output: 'Broken', payloads: ['a', 'b', 'a', 'b'] },
    ],
    [
      'records the failure of an expression',
      map({ MaxConcurrency: 1 }, {}, UNDEFINED_OUTPUT),
      { input: [1, 2] },
      {
        events: [
          '2<0 MapStateEntered M, MapStateStarted, MapIterationStarted M 0, PassStateEntered U, EvaluationFailed, ' +
            'MapIterationFailed M 0',
          '8<6 MapStateFailed, ExecutionFailed',
        ],
      },
    ],
    [
      'records that a failed task aborts the other iterations',
      map({ MaxConcurrency: 2 }),
      { input: [1, 2], attempts: [BROKEN, HANG] },
      {
        events: [
          '2<0 MapStateEntered M, MapStateStarted, MapIterationStarted M 0, TaskStateEntered A',
          '6<3 MapIterationStarted M 1, TaskStateEntered A',
          '8<5 TaskScheduled, TaskStarted',
          '10<7 TaskScheduled, TaskStarted',
          '12<9 TaskFailed, MapIterationFailed M 0',
          '14<12 TaskStateAborted',
          '15<12 MapIterationAborted M 1',
          '16<12 TaskStateAborted',
          '17<12 MapStateFailed, ExecutionFailed',
        ],
      },
    ],
  ])('%s', async (_, definition, options, expected) => {
    expect(await run(definition, options)).toMatchObject(expected);
  });

  test.each<[string, JsonObject, number]>([
    ['MaxConcurrency', { MaxConcurrency: 2 }, 2],
    ['MaxConcurrency of an expression', { MaxConcurrency: '{% $states.input[0] %}' }, 3],
    ['40 without MaxConcurrency', {}, 40],
    ['40 with a MaxConcurrency of 0', { MaxConcurrency: 0 }, 40],
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
      events: ['2<0 MapStateEntered M, EvaluationFailed, MapStateFailed, ExecutionFailed'],
    });
  });
});
