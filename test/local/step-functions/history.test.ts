/**
 * The events of executions. Their order and previous ids are those of executions recorded on AWS:
 * https://github.com/localstack/localstack/tree/main/tests/aws/services/stepfunctions/v2.
 */
import {
  eventLines,
  graph,
  HANG,
  machine,
  parallel,
  PASS,
  recorded,
  START,
  task,
  taskState,
} from '../../support/machine-fixture';

const BOOM = graph('Boom', { Type: 'Fail', Error: 'MyError', Cause: 'my cause' });

describe('the history of a task', () => {
  test('has its schedule, start and success, with all data', async () => {
    const { execution } = await recorded(
      task({ TimeoutSeconds: 9, Assign: { x: '{% $states.result.Payload.a %}' } }),
      {
        input: { a: 1 },
      },
    );
    const lambda = { resourceType: 'lambda', resource: 'invoke' };
    const complete = { truncated: false };
    const input = { input: '{"a":1}', inputDetails: complete };
    const output = { output: '{"a":1}', outputDetails: complete };
    const result = '{"ExecutedVersion":"1","Payload":{"a":1},"StatusCode":200}';
    const parameters = '{"FunctionName":"fn","Payload":{"a":1}}';
    const assigned = { assignedVariables: { x: '1' }, assignedVariablesDetails: complete };
    expect(execution.history.events.map(({ type, details }) => [type, details])).toEqual([
      ['ExecutionStarted', { ...input, roleArn: 'arn:role' }],
      ['TaskStateEntered', { name: 'A', ...input }],
      ['TaskScheduled', { ...lambda, region: 'us-east-1', parameters, timeoutInSeconds: 9 }],
      ['TaskStarted', lambda],
      ['TaskSucceeded', { ...lambda, output: result, outputDetails: complete }],
      ['TaskStateExited', { name: 'A', ...output, ...assigned }],
      ['ExecutionSucceeded', output],
    ]);
  });

  test('schedules the task again for each retry, at its time', async () => {
    const { execution, events } = await recorded(task({ Retry: [{ ErrorEquals: ['E'] }] }), {
      attempts: [{ error: 'E', cause: 'c' }, { error: 'E' }],
    });
    expect(events).toEqual([
      '1<0 ExecutionStarted',
      '2<0 TaskStateEntered A',
      '3<2 TaskScheduled',
      '4<3 TaskStarted',
      '5<4 TaskFailed',
      '6<5 TaskScheduled',
      '7<6 TaskStarted',
      '8<7 TaskFailed',
      '9<8 TaskScheduled',
      '10<9 TaskStarted',
      '11<10 TaskSucceeded',
      '12<11 TaskStateExited A',
      '13<12 ExecutionSucceeded',
    ]);
    expect(execution.history.events[4].details).toMatchObject({ error: 'E', cause: 'c' });
    const scheduled = execution.history.events.filter(({ type }) => type === 'TaskScheduled');
    expect(scheduled.map(({ time }) => time - START)).toEqual([0, 1000, 3000]);
  });

  test('has a timeout without a cause', async () => {
    const { execution, result, events } = await recorded(task({ TimeoutSeconds: 5 }), { attempts: [HANG] });
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.Timeout', cause: '' });
    expect(events.slice(4)).toEqual(['5<4 TaskTimedOut', '6<5 ExecutionFailed']);
    const [timedOut, failed] = execution.history.events.slice(4);
    expect(timedOut).toMatchObject({
      time: START + 5000,
      details: { resourceType: 'lambda', resource: 'invoke', error: 'States.Timeout' },
    });
    expect(failed.details).toEqual({ error: 'States.Timeout' });
  });

  test('has an event for each evaluation that fails', async () => {
    const { execution, events } = await recorded(
      task({
        Arguments: { FunctionName: 'fn', Payload: { x: '{% $states.input.missing %}' } },
        Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }],
      }),
    );
    expect(events).toEqual([
      '1<0 ExecutionStarted',
      '2<0 TaskStateEntered A',
      '3<2 EvaluationFailed',
      '4<3 EvaluationFailed',
      '5<4 ExecutionFailed',
    ]);
    const cause =
      "An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression " +
      "'$states.input.missing' specified for the field 'Arguments/Payload/x' returned nothing (undefined).";
    const error = 'States.QueryEvaluationError';
    const location = 'Arguments/Payload/x';
    expect(execution.history.events[2].details).toEqual({ error, cause, location, state: 'A' });
    expect(execution.history.events[4].details).toEqual({ error, cause });
  });

  test.each(['Output', 'Assign'])(
    'retries and catches a failing %s after the task has succeeded',
    async (field) => {
      const value = { v: '{% $states.result.missing %}' };
      const definition = task(
        {
          [field]: value,
          Retry: [{ ErrorEquals: ['States.QueryEvaluationError'], MaxAttempts: 1 }],
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }],
        },
        { C: { Type: 'Pass', Output: '{% $states.input.Cause %}', End: true } },
      );
      const { result, events } = await recorded(definition);
      expect(result).toHaveProperty(
        'output',
        expect.stringContaining(`the field '${field}/v' returned nothing`),
      );
      expect(events.slice(2, 11)).toEqual([
        '3<2 TaskScheduled',
        '4<3 TaskStarted',
        '5<4 TaskSucceeded',
        '6<5 EvaluationFailed',
        '7<6 TaskScheduled',
        '8<7 TaskStarted',
        '9<8 TaskSucceeded',
        '10<9 EvaluationFailed',
        '11<10 TaskStateExited A',
      ]);
    },
  );
});

describe('the history of a Parallel state', () => {
  test('has a chain of events for each branch', async () => {
    const twice = (name: string) =>
      graph(`${name}1`, { Type: 'Pass', Next: `${name}2` }, { [`${name}2`]: PASS });
    const definition = parallel([twice('A'), twice('B')], { Next: 'After' }, { After: PASS });
    const { events } = await recorded(definition);
    expect(events.slice(0, 5)).toEqual([
      '1<0 ExecutionStarted',
      '2<0 ParallelStateEntered P',
      '3<2 ParallelStateStarted',
      '4<3 PassStateEntered A1',
      '5<3 PassStateEntered B1',
    ]);
    expect(events.slice(11)).toEqual([
      '12<11 ParallelStateSucceeded',
      '13<11 ParallelStateExited P',
      '14<13 PassStateEntered After',
      '15<14 PassStateExited After',
      '16<15 ExecutionSucceeded',
    ]);
    const chain = (name: string) => {
      const ids = events
        .filter((line) => new RegExp(` ${name}\\d`).test(line))
        .map((line) => line.split(/[< ]/).slice(0, 2));
      return ids.slice(1).map(([, previous], at) => previous === ids[at][0]);
    };
    expect([chain('A'), chain('B')]).toEqual([Array(3).fill(true), Array(3).fill(true)]);
  });

  test('names a failed branch before the state that it fails', async () => {
    const { events, execution } = await recorded(parallel([BOOM]));
    expect(events).toEqual([
      '1<0 ExecutionStarted',
      '2<0 ParallelStateEntered P',
      '3<2 ParallelStateStarted',
      '4<3 FailStateEntered Boom',
      '5<4 ParallelStateFailed',
      '6<5 ExecutionFailed',
    ]);
    expect(execution.history.events[5].details).toEqual({ error: 'MyError', cause: 'my cause' });
  });

  test('starts the branches again for a retry', async () => {
    const fields = { Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }] };
    expect((await recorded(parallel([BOOM], fields))).events).toEqual([
      '1<0 ExecutionStarted',
      '2<0 ParallelStateEntered P',
      '3<2 ParallelStateStarted',
      '4<3 FailStateEntered Boom',
      '5<4 ParallelStateStarted',
      '6<5 FailStateEntered Boom',
      '7<6 ParallelStateFailed',
      '8<7 ExecutionFailed',
    ]);
  });

  test('aborts what runs in the other branches, from the inside out', async () => {
    const slow = graph('Slow', taskState());
    const nested = graph('Inner', {
      Type: 'Parallel',
      Branches: [graph('Deep', { Type: 'Wait', Seconds: 9, End: true })],
      End: true,
    });
    const definition = parallel(
      [graph('Quick', taskState({ Catch: [] })), slow, nested],
      { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Handled' }] },
      { Handled: PASS },
    );
    const { events } = await recorded(definition, { attempts: [{ error: 'Broken' }, HANG] });
    const failed = events.findIndex((line) => line.includes('TaskFailed')) + 1;
    expect(events.slice(failed)).toEqual([
      `${failed + 1}<${failed} TaskStateAborted`,
      `${failed + 2}<${failed} TaskStateAborted`,
      `${failed + 3}<${failed} WaitStateAborted`,
      `${failed + 4}<${failed} ParallelStateAborted`,
      `${failed + 5}<${failed} ParallelStateFailed`,
      `${failed + 6}<${failed + 5} ParallelStateExited P`,
      `${failed + 7}<${failed + 6} PassStateEntered Handled`,
      `${failed + 8}<${failed + 7} PassStateExited Handled`,
      `${failed + 9}<${failed + 8} ExecutionSucceeded`,
    ]);
  });

  test('has no more events for an error that nothing catches', async () => {
    const large = graph('Large', { Type: 'Pass', Output: '{% $pad("", 262200, "x") %}', End: true });
    const fields = { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'P' }] };
    const { events, result } = await recorded(parallel([large, graph('Slow', taskState())], fields), {
      attempts: [HANG],
    });
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
    expect(events.at(-1)).toMatch(/ExecutionFailed$/);
    expect(events.filter((line) => /Aborted|StateFailed/.test(line))).toEqual([]);
  });

  test('has the failure of a catch after the failure that it caught', async () => {
    const fields = {
      Catch: [
        { ErrorEquals: ['Other'], Next: 'P' },
        { ErrorEquals: ['States.ALL'], Next: 'P', Output: { v: '{% $states.input.missing %}' } },
      ],
    };
    const { events, execution } = await recorded(parallel([BOOM], fields));
    expect(events.slice(3)).toEqual([
      '4<3 FailStateEntered Boom',
      '5<4 ParallelStateFailed',
      '6<4 EvaluationFailed',
      '7<6 ParallelStateFailed',
      '8<7 ExecutionFailed',
    ]);
    expect(execution.history.events[5].details).toMatchObject({ location: 'Catch[1]/Output/v', state: 'P' });
  });
});

describe('the end of an execution', () => {
  test('that is stopped follows no event, and has what the caller said', async () => {
    const { start } = machine(task(), { attempts: [HANG] });
    const execution = start('stopped');
    await execution.abort({ error: 'Enough', cause: 'no time' });
    await expect(execution.result).resolves.toMatchObject({
      status: 'ABORTED',
      error: 'Enough',
      cause: 'no time',
    });
    expect(eventLines(execution).at(-1)).toMatch(/<0 ExecutionAborted$/);
    expect(execution.history.events.at(-1)?.details).toEqual({ error: 'Enough', cause: 'no time' });
  });
});

test('an execution fails with its 25,000th event', async () => {
  const loop = graph('A', { Type: 'Pass', Next: 'B' }, { B: { Type: 'Pass', Next: 'A' } });
  const { events, result, execution } = await recorded(loop);
  expect(result).toMatchObject({
    status: 'FAILED',
    error: 'States.Runtime',
    cause: 'The execution reached the maximum number of history events (25000).',
  });
  expect(events).toHaveLength(25_000);
  expect(events.at(-1)).toBe('25000<24999 ExecutionFailed');
  expect(execution.notRedrivable()).toBe('Execution history event limit exceeded');
});

test('the events of an Express execution are counted and not kept', async () => {
  const pass = { Type: 'Pass', Output: '{% $states.input.missing %}', End: true };
  const { execution, result } = await recorded(graph('P', pass), { type: 'EXPRESS' });
  expect(execution.history.events).toEqual([]);
  expect(result).toHaveProperty(
    'cause',
    expect.stringContaining("the state 'P' (entered at the event id #2)"),
  );
});
