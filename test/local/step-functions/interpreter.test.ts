import { LocalCloudError } from '../../../local/local-cloud-error';
import { graph, HANG, machine, PASS, run, START, task } from '../../support/machine-fixture';

const TOO_LARGE = 'x'.repeat(262_144);

describe('states', () => {
  test('follow each other, each with the output of the one before', async () => {
    const { result, trace, payloads } = await run(
      task(
        { Next: 'B' },
        {
          B: {
            Type: 'Pass',
            Output: { b: '{% $states.input.a + 1 %}', literal: [1, 'two', null] },
            Next: 'C',
          },
          C: { Type: 'Succeed', Output: '{% $merge([$states.input, {"c": true}]) %}' },
        },
      ),
      { input: { a: 1 } },
    );
    expect(result).toMatchObject({
      status: 'SUCCEEDED',
      output: { b: 2, literal: [1, 'two', null], c: true },
    });
    expect(payloads).toEqual([{ a: 1 }]);
    expect(trace).toEqual([
      'A StateEntered',
      'A TaskStarted 0',
      'A TaskSucceeded 0',
      'A StateExited',
      'B StateEntered',
      'B StateExited',
      'C StateEntered',
      'C StateExited',
    ]);
  });

  test('without an Output return their result, or their input', async () => {
    const taskAlone = await run(task({ Output: undefined }), { input: 5 });
    expect(taskAlone.result).toMatchObject({ output: { ExecutedVersion: '1', Payload: 5, StatusCode: 200 } });
    const pass = await run(graph('P'), { input: [5] });
    expect(pass.result).toMatchObject({ output: [5] });
  });

  test('of type Fail have an error and a cause, which may be expressions, or neither', async () => {
    const fail = { Type: 'Fail', Error: 'Bad', Cause: '{% "got " & $states.input %}' };
    const named = await run(graph('F', fail), { input: 'it' });
    expect(named.result).toMatchObject({ status: 'FAILED', error: 'Bad', cause: 'got it' });
    const bare = await run(graph('F', { Type: 'Fail' }));
    expect(bare.result).toMatchObject({ status: 'FAILED', error: '', cause: '' });
  });

  test('get plain JSON where JSONata would mark a sequence', async () => {
    const { payloads } = await run(
      task({ Arguments: { FunctionName: 'fn', Payload: { list: '{% $states.input.items.n %}' } } }),
      { input: { items: [{ n: 1 }, { n: 2 }] } },
    );
    expect(Object.getOwnPropertyNames((payloads[0] as { list: object }).list)).toEqual(['0', '1', 'length']);
  });
});

describe('variables', () => {
  test('are assigned from their old values, and visible in later states only', async () => {
    const { result } = await run({
      StartAt: 'A',
      States: {
        A: { Type: 'Pass', Assign: { x: 1, y: 2 }, Next: 'B' },
        B: { Type: 'Pass', Assign: { x: '{% $y %}', y: '{% $x %}' }, Output: '{% [$x, $y] %}', Next: 'C' },
        C: { Type: 'Succeed', Output: '{% {"before": $states.input, "after": [$x, $y]} %}' },
      },
    });
    expect(result).toMatchObject({ output: { before: [1, 2], after: [2, 1] } });
  });

  test('stay unchanged when the attempt fails', async () => {
    const { result } = await run(
      task(
        {
          Assign: { x: '{% $states.result.Payload.missing %}' },
          Catch: [
            { ErrorEquals: ['States.ALL'], Next: 'C', Assign: { caught: '{% $states.errorOutput.Error %}' } },
          ],
        },
        { C: { Type: 'Succeed', Output: '{% [$exists($x), $caught] %}' } },
      ),
    );
    expect(result).toMatchObject({ output: [false, 'States.QueryEvaluationError'] });
  });
});

describe('the context object', () => {
  const context = graph('P', { ...PASS, Output: '{% $states.context %}' });

  test('describes the execution, the machine and the state', async () => {
    const { result } = await run(context, { input: 7, name: 'run-1' });
    const time = new Date(START).toISOString();
    expect(result).toMatchObject({
      executionArn: 'arn:aws:states:us-east-1:000000000000:execution:Machine:run-1',
      output: {
        Execution: {
          Id: 'arn:aws:states:us-east-1:000000000000:execution:Machine:run-1',
          Input: 7,
          Name: 'run-1',
          RoleArn: 'arn:role',
          StartTime: time,
        },
        StateMachine: { Id: 'arn:aws:states:us-east-1:000000000000:stateMachine:Machine', Name: 'Machine' },
        State: { Name: 'P', EnteredTime: time, RetryCount: 0 },
      },
    });
  });

  test('counts the retries of a state', async () => {
    const { payloads } = await run(
      task({
        Arguments: { FunctionName: 'fn', Payload: '{% $states.context.State.RetryCount %}' },
        Retry: [{ ErrorEquals: ['E'] }],
      }),
      { attempts: [{ error: 'E' }, { error: 'E' }] },
    );
    expect(payloads).toEqual([0, 1, 2]);
  });
});

describe('retries', () => {
  const retrier = { ErrorEquals: ['E'], IntervalSeconds: 2, BackoffRate: 3, MaxAttempts: 4 };

  test('back off exponentially up to the maximal delay', async () => {
    const { result, trace, seconds } = await run(task({ Retry: [{ ...retrier, MaxDelaySeconds: 10 }] }), {
      attempts: [{ error: 'E' }, { error: 'E' }, { error: 'E' }, { answer: 'done' }],
    });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: 'done' });
    expect(trace).toEqual([
      'A StateEntered',
      'A TaskStarted 0',
      'A TaskFailed 0 E',
      'A TaskRetried 1 after 2',
      'A TaskStarted 1',
      'A TaskFailed 1 E',
      'A TaskRetried 2 after 6',
      'A TaskStarted 2',
      'A TaskFailed 2 E',
      'A TaskRetried 3 after 10',
      'A TaskStarted 3',
      'A TaskSucceeded 3',
      'A StateExited',
    ]);
    expect(seconds).toBe(18);
  });

  test('with full jitter wait between zero and the delay', async () => {
    const jitter = task({ Retry: [{ ...retrier, JitterStrategy: 'FULL' }] });
    const attempts = [{ error: 'E' }, { error: 'E' }];
    expect((await run(jitter, { attempts, random: () => 0.25 })).seconds).toBe(0.5 + 1.5);
    expect((await run(jitter, { attempts, random: () => 0 })).seconds).toBe(0);
  });

  test('are counted separately for each retrier', async () => {
    const retries = ['E', 'F'].map((error) => ({ ErrorEquals: [error], MaxAttempts: 1, IntervalSeconds: 1 }));
    const twice = await run(task({ Retry: retries }), { attempts: [{ error: 'E' }, { error: 'F' }] });
    expect(twice.result.status).toBe('SUCCEEDED');
    const thrice = await run(task({ Retry: retries }), {
      attempts: [{ error: 'E' }, { error: 'F' }, { error: 'E' }],
    });
    expect(thrice.result).toMatchObject({ status: 'FAILED', error: 'E' });
  });

  test('with zero attempts exclude an error from the retriers that follow', async () => {
    const { result } = await run(
      task({ Retry: [{ ErrorEquals: ['E'], MaxAttempts: 0 }, { ErrorEquals: ['States.ALL'] }] }),
      { attempts: [{ error: 'E' }] },
    );
    expect(result).toMatchObject({ status: 'FAILED', error: 'E' });
  });
});

describe('catches', () => {
  test('apply after the retries, and can parse the cause', async () => {
    const { result, trace } = await run(
      task(
        {
          Retry: [{ ErrorEquals: ['E'], MaxAttempts: 1 }],
          Catch: [
            { ErrorEquals: ['Other'], Next: 'A' },
            { ErrorEquals: ['E'], Next: 'F', Output: '{% $parse($states.errorOutput.Cause) %}' },
          ],
        },
        { F: { Type: 'Fail', Error: '{% $states.input.errorType %}', Cause: 'x' } },
      ),
      { attempts: [{ error: 'E' }, { error: 'E', cause: '{"errorType":"Inner"}' }] },
    );
    expect(result).toMatchObject({ status: 'FAILED', error: 'Inner' });
    expect(trace.filter((line) => line.startsWith('A TaskStarted'))).toHaveLength(2);
  });

  test.each([
    ['States.ALL', 'Any', true],
    ['States.ALL', 'States.Timeout', true],
    ['States.ALL', 'States.DataLimitExceeded', false],
    ['States.ALL', 'States.Runtime', false],
    ['States.TaskFailed', 'Any', true],
    ['States.TaskFailed', 'States.Timeout', false],
    ['States.TaskFailed', 'States.DataLimitExceeded', false],
    ['States.DataLimitExceeded', 'States.DataLimitExceeded', false],
    ['Any', 'any', false],
  ])('of %s catch %s: %s', async (name, error, caught) => {
    const { result } = await run(
      task({ Catch: [{ ErrorEquals: [name], Next: 'C' }] }, { C: { Type: 'Succeed', Output: 'caught' } }),
      { attempts: [{ error }] },
    );
    expect(result).toMatchObject(
      caught ? { status: 'SUCCEEDED', output: 'caught' } : { status: 'FAILED', error },
    );
  });
});

describe('expressions that fail', () => {
  test.each([
    ['return nothing', '$states.input.missing', /returned nothing \(undefined\)/],
    ['throw', '$error("no")', /no/],
    ['are of the wrong type', '1 + "a"', /must evaluate to a number/],
    ['return a function', '$uppercase', /returned nothing/],
    ['return a lambda', 'function($x) { $x }', /returned nothing/],
    ['parse text that is not JSON', '$parse("{")', /JSON/],
  ])('because they %s raise States.QueryEvaluationError', async (_, source, cause) => {
    const pass = { Type: 'Pass', End: true, Output: { deep: [`{% ${source} %}`] } };
    const { result } = await run(graph('P', pass));
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
    expect(result).toHaveProperty('cause', expect.stringMatching(cause));
    expect(result).toHaveProperty('cause', expect.stringContaining('Output/deep[0]'));
  });
});

describe('limits', () => {
  const catchAll = { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }] };
  const caught = { C: { Type: 'Succeed', Output: 'caught' } };

  test.each([
    ['a result', task(catchAll, caught), { attempts: [{ answer: TOO_LARGE }] }],
    [
      'a payload',
      task(
        { ...catchAll, Arguments: { FunctionName: 'fn', Payload: '{% $pad("", 262200, "x") %}' } },
        caught,
      ),
      {},
    ],
    ['a variable', task({ ...catchAll, Assign: { x: '{% $pad("", 262200, "x") %}' } }, caught), {}],
    [
      'the sum of the variables of a state',
      task(
        { ...catchAll, Assign: { x: '{% $pad("", 140000, "x") %}', y: '{% $pad("", 140000, "y") %}' } },
        caught,
      ),
      {},
    ],
    ['an output', task({ ...catchAll, Output: '{% $pad("", 262200, "x") %}' }, caught), {}],
  ])('%s above 256 KiB is an error that cannot be caught', async (_, definition, options) => {
    const { result } = await run(definition, options);
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  test('the name of a Standard execution must be unique and have no special characters', async () => {
    const standard = machine(task(), { name: 'once' });
    await standard.run();
    await expect(standard.run()).rejects.toThrow("an execution named 'once' already exists");
    await expect(run(task(), { name: 'a/b' })).rejects.toThrow(LocalCloudError);
  });
});

describe('timeouts', () => {
  test('of a task are errors that can be retried', async () => {
    const { result, trace, seconds } = await run(
      task({ TimeoutSeconds: 5, Retry: [{ ErrorEquals: ['States.Timeout'] }] }),
      { attempts: [HANG], input: 1 },
    );
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: 1 });
    expect(trace).toContain('A TaskFailed 0 States.Timeout');
    expect(seconds).toBe(5 + 1);
  });

  test('can be expressions', async () => {
    const { seconds } = await run(task({ TimeoutSeconds: '{% $states.input * 2 %}' }), {
      attempts: [HANG],
      input: 4,
    });
    expect(seconds).toBe(8);
  });

  test('of the machine end the execution, and no further state runs', async () => {
    const { result, trace, seconds } = await run({ ...task(), TimeoutSeconds: 9 }, { attempts: [HANG] });
    expect(result).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
    expect(trace).toEqual(['A StateEntered', 'A TaskStarted 0']);
    expect(seconds).toBe(9);
  });

  test('end an Express execution after five minutes', async () => {
    const retry = { Retry: [{ ErrorEquals: ['E'], MaxAttempts: 99, IntervalSeconds: 60 }] };
    const attempts = Array.from({ length: 99 }, () => ({ error: 'E' }));
    const { result, seconds } = await run(task(retry), { type: 'EXPRESS', attempts });
    expect(result.status).toBe('TIMED_OUT');
    expect(seconds).toBe(300);
  });
});

test('an asynchronous call ends its state when it is queued, and its payload is that of the state', async () => {
  const definition = task({
    Arguments: { FunctionName: 'fn', InvocationType: 'Event', Payload: { load: true } },
    Output: '{% $states.result.StatusCode %}',
  });
  const own = machine(definition);
  const { result, later, payloads } = await own.run();
  expect(result).toMatchObject({ status: 'SUCCEEDED', output: 202 });
  expect([later, payloads]).toEqual([[{ load: true }], []]);
});

test('each state is entered after a delay that depends on the bytes of its input', async () => {
  const bytes: number[] = [];
  const transitionMs = (size: number): number => {
    bytes.push(size);
    return 1000 + size;
  };
  const definition = task({ Next: 'B', Output: { b: 'twelve bytes' } }, { B: { Type: 'Pass', End: true } });
  const { seconds, result } = await run(definition, { input: { a: 'ä' }, transitionMs });

  expect(result).toMatchObject({ status: 'SUCCEEDED', output: { b: 'twelve bytes' } });
  // {"a":"ä"} has nine characters, of which one takes two bytes; {"b":"twelve bytes"} has 20.
  expect(bytes).toEqual([10, 20]);
  expect(seconds).toBe(2.03);
});
