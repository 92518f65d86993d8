/**
 * State machines with functions in memory, on a virtual clock: what the states return, which calls they make, and which
 * events they record.
 */
import type { Json, JsonObject } from '../../../local/json';
import {
  graph,
  HANG,
  machine,
  type MachineOptions,
  PASS,
  pass,
  run,
  START,
  task,
} from '../../support/machine-fixture';

type Case = readonly [string, JsonObject, MachineOptions, object];

async function check(_: string, definition: JsonObject, options: MachineOptions, expected: object) {
  expect(await run(definition, options)).toMatchObject(expected);
}

/** A text that is too large for a state, as the value of a field. */
const LARGE = '{% $pad("", 262200, "x") %}';
const E = { error: 'E' };
const ALL = ['States.ALL'];

describe('states', () => {
  test.each<Case>([
    [
      'follow each other, each with the output of the one before',
      task(
        { Next: 'B' },
        {
          B: { Type: 'Pass', Output: { b: '{% $states.input.a + 1 %}', list: [1, 'two', null] }, Next: 'C' },
          C: { Type: 'Succeed', Output: '{% $merge([$states.input, {"c": true}]) %}' },
        },
      ),
      { input: { a: 1 } },
      {
        status: 'SUCCEEDED',
        output: { b: 2, list: [1, 'two', null], c: true },
        payloads: [{ a: 1 }],
        trace: [
          ...['A StateEntered', 'A TaskStarted 0', 'A TaskSucceeded 0', 'A StateExited'],
          ...['B StateEntered', 'B StateExited', 'C StateEntered', 'C StateExited'],
        ],
      },
    ],
    [
      'of type Task return their result without an Output',
      task({ Output: undefined }),
      { input: 5 },
      { output: { ExecutedVersion: '1', Payload: 5, StatusCode: 200 } },
    ],
    ['of other types return their input without an Output', graph('P'), { input: [5] }, { output: [5] }],
    [
      'of type Fail have an error and a cause, which may be expressions',
      graph('F', { Type: 'Fail', Error: 'Bad', Cause: '{% "got " & $states.input %}' }),
      { input: 'it' },
      { status: 'FAILED', error: 'Bad', cause: 'got it' },
    ],
    ['of type Fail may have neither', graph('F', { Type: 'Fail' }), {}, { error: '', cause: '' }],
    [
      'assign variables from their old values, for later states only',
      graph(
        'A',
        { Type: 'Pass', Assign: { x: 1, y: 2 }, Next: 'B' },
        {
          B: { Type: 'Pass', Assign: { x: '{% $y %}', y: '{% $x %}' }, Output: '{% [$x, $y] %}', Next: 'C' },
          C: { Type: 'Succeed', Output: '{% {"before": $states.input, "after": [$x, $y]} %}' },
        },
      ),
      {},
      { output: { before: [1, 2], after: [2, 1] } },
    ],
    [
      'have a context of the execution, the machine and the state',
      pass('{% $states.context %}'),
      { input: 7, name: 'run-1' },
      {
        output: {
          Execution: { Input: 7, Name: 'run-1' },
          StateMachine: { Id: 'arn:aws:states:us-east-1:000000000000:stateMachine:Machine', Name: 'Machine' },
          State: { Name: 'P', EnteredTime: new Date(START).toISOString(), RetryCount: 0 },
        },
      },
    ],
    [
      'end as soon as an asynchronous call is queued',
      task({
        Arguments: { FunctionName: 'fn', InvocationType: 'Event', Payload: { load: true } },
        Output: '{% $states.result.StatusCode %}',
      }),
      {},
      { status: 'SUCCEEDED', output: 202, later: [{ load: true }], payloads: [] },
    ],
  ])('%s', check);

  test('are entered after a delay that depends on the bytes of their input', async () => {
    const bytes: number[] = [];
    const transitionMs = (size: number): number => {
      bytes.push(size);
      return 1000 + size;
    };
    const definition = task({ Next: 'B', Output: { b: 'twelve bytes' } }, { B: PASS });
    const result = await run(definition, { input: { a: 'ä' }, transitionMs });
    expect(result).toMatchObject({ output: { b: 'twelve bytes' }, seconds: 2.03 });
    // {"a":"ä"} has nine characters, of which one takes two bytes; {"b":"twelve bytes"} has 20.
    expect(bytes).toEqual([10, 20]);
  });
});

const retrier = { ErrorEquals: ['E'], IntervalSeconds: 2, BackoffRate: 3, MaxAttempts: 4 };
const separate = task({
  Retry: ['E', 'F'].map((error) => ({ ErrorEquals: [error], MaxAttempts: 1, IntervalSeconds: 1 })),
});

test.each<Case>([
  [
    'back off exponentially up to the maximal delay',
    task({ Retry: [{ ...retrier, MaxDelaySeconds: 10 }] }),
    { attempts: [E, E, E, { answer: 'done' }] },
    {
      status: 'SUCCEEDED',
      output: 'done',
      trace: [
        ...['A StateEntered', 'A TaskStarted 0', 'A TaskFailed 0 E', 'A TaskRetried 1 after 2'],
        ...['A TaskStarted 1', 'A TaskFailed 1 E', 'A TaskRetried 2 after 6'],
        ...['A TaskStarted 2', 'A TaskFailed 2 E', 'A TaskRetried 3 after 10'],
        ...['A TaskStarted 3', 'A TaskSucceeded 3', 'A StateExited'],
      ],
      seconds: 18,
    },
  ],
  [
    'with jitter wait a part of the delay',
    task({ Retry: [{ ...retrier, JitterStrategy: 'FULL' }] }),
    { attempts: [E, E], random: () => 0.25 },
    { seconds: 2 },
  ],
  [
    'are counted for each retrier, and end with the attempts of one',
    separate,
    { attempts: [E, { error: 'F' }, E] },
    { status: 'FAILED', error: 'E' },
  ],
])('retries %s', check);

describe('catches', () => {
  test.each([
    ['States.ALL', 'Any', true],
    ['States.ALL', 'States.Timeout', true],
    ['States.ALL', 'States.Runtime', false],
    ['States.TaskFailed', 'Any', true],
    ['States.TaskFailed', 'States.Timeout', false],
    ['States.DataLimitExceeded', 'States.DataLimitExceeded', false],
    ['Any', 'any', false],
  ])('of %s catch %s: %s', async (name, error, caught) => {
    const catching = task(
      { Catch: [{ ErrorEquals: [name], Next: 'C' }] },
      { C: { ...PASS, Output: 'caught' } },
    );
    const expected = caught ? { status: 'SUCCEEDED', output: 'caught' } : { status: 'FAILED', error };
    expect(await run(catching, { attempts: [{ error }] })).toMatchObject(expected);
  });

  test('are not needed for a result of 256 KiB', async () => {
    const bytes = 262_144 - JSON.stringify({ ExecutedVersion: '1', Payload: '', StatusCode: 200 }).length;
    const result = (length: number) => run(task(), { attempts: [{ answer: 'x'.repeat(length) }] });
    expect(await result(bytes)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await result(bytes + 1)).toMatchObject({
      error: 'States.DataLimitExceeded',
      cause:
        "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit.",
    });
  });

  const catchAll = { Catch: [{ ErrorEquals: ALL, Next: 'A' }] };
  const half = (character: string) => `{% $pad("", 140000, "${character}") %}`;
  test.each<[string, JsonObject]>([
    ['the sum of the variables of a state', { Assign: { x: half('x'), y: half('y') } }],
    ['an output', { Output: LARGE }],
  ])('do not apply to %s above 256 KiB', async (_, fields) => {
    const result = await run(task({ ...catchAll, ...fields }));
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });
});

const failing = Array.from({ length: 99 }, () => E);
test.each<Case>([
  [
    'of the machine end the execution, and no further state runs',
    { ...task(), TimeoutSeconds: 9 },
    { attempts: [HANG] },
    {
      status: 'TIMED_OUT',
      error: 'States.Timeout',
      trace: ['A StateEntered', 'A TaskStarted 0'],
      seconds: 9,
    },
  ],
  [
    'end an Express execution after five minutes',
    task({ Retry: [{ ErrorEquals: ['E'], MaxAttempts: 99, IntervalSeconds: 60 }] }),
    { type: 'EXPRESS', attempts: failing },
    { status: 'TIMED_OUT', seconds: 300 },
  ],
  [
    'of a slow machine are longer, and the cause says so',
    { ...task(), TimeoutSeconds: 9 },
    { attempts: [HANG], timeouts: 10 },
    {
      status: 'TIMED_OUT',
      cause:
        "the execution took longer than 90 seconds, 10 times the timeout of its state machine: raise the state machine's timeout, or set the option timeouts of LocalCloud if this machine is slow",
      seconds: 90,
    },
  ],
  [
    'of tasks and Express executions are longer too',
    task({ TimeoutSeconds: 5, Retry: [{ ErrorEquals: ALL, IntervalSeconds: 1, MaxAttempts: 1 }] }),
    { type: 'EXPRESS', attempts: [HANG, HANG], timeouts: 30 },
    { status: 'FAILED', error: 'States.Timeout', seconds: 301 },
  ],
])('timeouts %s', check);

describe('a Choice', () => {
  /** Leads to states that return their name, their input and the variable `by`. */
  function choice(rules: readonly Json[], fields: JsonObject = {}): JsonObject {
    const end = (name: string) => ({ ...PASS, Output: [name, '{% $states.input %}', '{% $by %}'] });
    return graph(
      'Init',
      { Type: 'Pass', Assign: { by: 'nobody' }, Next: 'C' },
      { C: { Type: 'Choice', Choices: rules, ...fields }, X: end('X'), Y: end('Y') },
    );
  }

  const above10 = {
    Condition: '{% $states.input > 10 %}',
    Next: 'X',
    Output: '{% $states.input * 2 %}',
    Assign: { by: 'rule' },
  };
  const rules = [above10, { Condition: '{% $states.input > 5 %}', Next: 'Y' }];
  const withDefault = choice(rules, { Default: 'Y', Output: 'small', Assign: { by: 'default' } });
  const literals = [
    { Condition: false, Next: 'X' },
    { Condition: true, Next: 'Y' },
    { Condition: '{% $error("not evaluated") %}', Next: 'X' },
  ];
  const counting = graph(
    'Count',
    { Type: 'Pass', Output: '{% $states.input + 1 %}', Next: 'C' },
    {
      C: { Type: 'Choice', Choices: [{ Condition: '{% $states.input < 5 %}', Next: 'Count' }], Default: 'D' },
      D: PASS,
    },
  );

  test.each<[string, JsonObject, Json, Json]>([
    ['the first rule that matches', withDefault, 11, ['X', 22, 'rule']],
    ['a later rule', withDefault, 6, ['Y', 6, 'nobody']],
    ['the default, with the Output and Assign of the state', withDefault, 1, ['Y', 'small', 'default']],
    ['a literal, and evaluates no further rule', choice(literals), 1, ['Y', 1, 'nobody']],
    ['an earlier state, in a loop', counting, 0, 5],
  ])('goes on with %s', async (_, definition, input, output) => {
    expect(await run(definition, { input })).toMatchObject({ status: 'SUCCEEDED', output });
  });

  test.each<[string, Json, string, string]>([
    ['no match and no default', above10, 'States.NoChoiceMatched', 'Failed to transition out of the state.'],
    [
      'a condition that is no boolean',
      { Condition: '{% $states.input + 1 %}', Next: 'X' },
      'States.QueryEvaluationError',
      "The JSONata expression '$states.input + 1' specified for the field 'Choices[0]/Condition' returned " +
        "an unexpected result type. Expected 'boolean', but was 'number' for value: 2",
    ],
    [
      'a failing Output of a rule',
      { Condition: true, Next: 'X', Output: { a: '{% $states.input.x %}' } },
      'States.QueryEvaluationError',
      "The JSONata expression '$states.input.x' specified for the field 'Choices[0]/Output/a' returned nothing (undefined).",
    ],
  ])('with %s fails', async (_, rule, error, reason) => {
    const cause = `An error occurred while executing the state 'C' (entered at the event id #4). ${reason}`;
    expect(await run(choice([rule]), { input: 1 })).toMatchObject({
      ...{ status: 'FAILED', error, cause: expect.stringContaining(cause) as string },
      events: 'PassStateEntered Init, PassStateExited Init, ChoiceStateEntered C, ExecutionFailed',
    });
  });
});

describe('a Wait', () => {
  const wait = (fields: JsonObject) => graph('W', { Type: 'Wait', End: true, ...fields });

  test.each<[string, JsonObject, number]>([
    ['a number of seconds', { Seconds: 7 }, 7],
    ['seconds of an expression', { Seconds: '{% $states.input.n * 2 %}' }, 6],
    ['not at all for 0 seconds', { Seconds: 0 }, 0],
  ])('lasts %s', async (_, fields, seconds) => {
    const input = { n: 3 };
    expect(await run(wait(fields), { input })).toMatchObject({ status: 'SUCCEEDED', output: input, seconds });
  });

  test.each<[JsonObject, string]>([
    [{ Seconds: '{% 1.5 %}' }, "The field 'Seconds' expects an integer from 0 to 99999999, got 1.5"],
    [{ Seconds: '{% "1" %}' }, `Expected 'number', but was 'string' for value: "1"`],
  ])('with %j is a States.QueryEvaluationError', async (fields, reason) => {
    const cause = expect.stringContaining(reason) as string;
    expect(await run(wait(fields))).toMatchObject({ error: 'States.QueryEvaluationError', cause });
  });
});

describe('the history of a task', () => {
  test.each([
    ['TaskFailed', { attempts: [{ error: 'E', cause: 'c' }] }, { error: 'E', cause: 'c' }],
    ['TaskTimedOut', { attempts: [HANG] as const }, { error: 'States.Timeout' }],
  ])('has an event %s for an attempt that another one follows', async (type, options, details) => {
    const { execution, events } = await run(
      task({ TimeoutSeconds: 5, Retry: [{ ErrorEquals: ['States.ALL'] }] }),
      options,
    );
    expect(events).toBe(
      `TaskStateEntered A, TaskScheduled, TaskStarted, ${type}, ` +
        'TaskScheduled, TaskStarted, TaskSucceeded, TaskStateExited A, ExecutionSucceeded',
    );
    expect(execution.history.events[4].details).toMatchObject(details);
  });

  test.each(['Output', 'Assign'])('retries and catches a failing %s after a success', async (field) => {
    const definition = task(
      {
        [field]: { v: '{% $states.result.missing %}' },
        Retry: [{ ErrorEquals: ['States.QueryEvaluationError'], MaxAttempts: 1 }],
        Catch: [
          { ErrorEquals: ['Other'], Next: 'A' },
          { ErrorEquals: ALL, Next: 'C' },
        ],
      },
      { C: { ...PASS, Output: '{% $states.input.Cause %}' } },
    );
    expect(await run(definition)).toMatchObject({
      output: expect.stringContaining(`the field '${field}/v' returned nothing`) as string,
      payloads: [{}, {}],
    });
  });
});

describe('an execution', () => {
  test('fails with its 25,000th event', async () => {
    const loop = graph('A', { Type: 'Pass', Next: 'B' }, { B: { Type: 'Pass', Next: 'A' } });
    const { execution, ...result } = await run(loop);
    expect(result).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: 'The execution reached the maximum number of history events (25000).',
    });
    expect(execution.history.events.at(-1)).toMatchObject({ id: 25_000, type: 'ExecutionFailed' });
    expect(execution.notRedrivable()).toBe('Execution history event limit exceeded');
  });

  test('of an Express machine counts its events and keeps none', async () => {
    const { execution, ...result } = await run(pass('{% $states.input.missing %}'), { type: 'EXPRESS' });
    expect(execution.history.events).toEqual([]);
    expect(result).toHaveProperty('cause', expect.stringContaining('entered at the event id #2'));
  });
});

describe('the name of a Standard execution', () => {
  test.each(['x'.repeat(80), "it's(ok)!", 'Größe.-_'])('may be %s, once', async (name) => {
    const { stateMachine } = machine(pass(1));
    expect(await stateMachine.start({}, { name }).result).toMatchObject({ status: 'SUCCEEDED' });
    expect(() => stateMachine.start({}, { name })).toThrow(`an execution named '${name}' already exists`);
  });

  test.each([
    '',
    'x'.repeat(81),
    ...' \n\0\u0085\ud800<>{}[]?*"#%\\^|~`$&,;:/'.split('').map((c) => `a${c}b`),
  ])('must not be %j', (name) => {
    expect(() => machine(pass(1)).start(name)).toThrow("an execution's name must have 1 to 80 characters");
  });
});
