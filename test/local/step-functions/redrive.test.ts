/** Redriven executions: which states run again, with which data. https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html */
import type { JsonObject } from '../../../local/json';
import type { ExecutionResult } from '../../../local/step-functions/execution';
import type { MachineExecution } from '../../../local/step-functions/machine-execution';
import {
  type Attempt,
  eventLines,
  graph,
  HANG,
  machine,
  map,
  parallel,
  START,
  task,
  taskState,
} from '../../support/machine-fixture';

function branch(name: string, fields: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return graph(name, taskState(fields), more);
}

/** An execution that has failed. */
async function failed(definition: JsonObject, options: Parameters<typeof machine>[1] = {}, error?: string) {
  const started = machine(definition, options);
  const execution = started.start('run');
  expect(await execution.result).toMatchObject(error === undefined ? { status: 'FAILED' } : { error });
  return { ...started, execution };
}

async function redrive(execution: MachineExecution): Promise<ExecutionResult> {
  expect(execution.notRedrivable()).toBeUndefined();
  execution.redrive();
  expect(execution.status).toBe('RUNNING');
  return await execution.result;
}

const ERROR = { error: 'Broken' };
const DAY_MS = 86_400_000;

describe('a redriven execution', () => {
  test('continues at the failed task, with its input and the variables', async () => {
    const definition = task(
      { Assign: { first: '{% $states.result.Payload %}' }, Next: 'B' },
      {
        B: taskState({
          Arguments: { FunctionName: 'fn', Payload: ['{% $states.input %}', '{% $first %}'] },
        }),
      },
    );
    const attempts = [{ answer: 'a' }, ERROR];
    const { execution, payloads } = await failed(definition, { input: 1, attempts }, 'Broken');
    expect(await redrive(execution)).toMatchObject({ status: 'SUCCEEDED', output: ['a', 'a'] });
    expect(payloads).toEqual([1, ['a', 'a'], ['a', 'a']]);
    expect(eventLines(execution).slice(8)).toEqual([
      '9<8 TaskStarted',
      '10<9 TaskFailed',
      '11<10 ExecutionFailed',
      '12<11 ExecutionRedriven',
      '13<12 TaskScheduled',
      '14<13 TaskStarted',
      '15<14 TaskSucceeded',
      '16<15 TaskStateExited B',
      '17<16 ExecutionSucceeded',
    ]);
    expect(execution.history.events[11].details).toEqual({ redriveCount: 1 });
  });

  test('keeps its name, ARN, input and start, and counts its redrives in the context', async () => {
    const definition = task({
      Arguments: { FunctionName: 'fn', Payload: '{% $states.context.Execution %}' },
    });
    const { execution, payloads, clock } = await failed(definition, { input: 7, attempts: [ERROR] });
    await clock.sleep(5000, new AbortController().signal);
    await redrive(execution);
    const same = {
      Id: 'arn:aws:states:us-east-1:000000000000:execution:Machine:run',
      Input: 7,
      Name: 'run',
      RoleArn: 'arn:role',
      StartTime: new Date(START).toISOString(),
    };
    expect(payloads).toEqual([
      { ...same, RedriveCount: 0 },
      { ...same, RedriveCount: 1, RedriveTime: new Date(START + 5000).toISOString() },
    ]);
    expect(execution).toMatchObject({ startTime: START, redriveCount: 1, redriveTime: START + 5000 });
  });

  test('runs with the definition that it started with', async () => {
    const { execution, stateMachine } = await failed(task(), { attempts: [ERROR] });
    stateMachine.update(stateMachine.resource, { startAt: 'X', states: new Map(), timeoutSeconds: 1 });
    expect(await redrive(execution)).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('counts retries and the time limits of tasks and machine anew', async () => {
    const definition = {
      ...task({
        TimeoutSeconds: 6,
        Arguments: { FunctionName: 'fn', Payload: '{% $states.context.State.RetryCount %}' },
        Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1, IntervalSeconds: 1 }],
      }),
      TimeoutSeconds: 10,
    };
    const attempts = [HANG, HANG, HANG] as const;
    const { execution, payloads, clock } = await failed(definition, { attempts }, 'States.Timeout');
    expect(execution.status).toBe('TIMED_OUT');
    expect(clock.now()).toBe(START + 10_000);
    expect(await redrive(execution)).toMatchObject({ status: 'SUCCEEDED', output: 1 });
    expect(clock.now()).toBe(START + 17_000);
    expect(payloads).toEqual([0, 1, 0, 1]);
  });

  test('enters a Fail state again, and fails again', async () => {
    const definition = task(
      { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'F' }] },
      { F: { Type: 'Fail', Error: '{% $states.input.Error %}', Cause: 'told' } },
    );
    const { execution, payloads } = await failed(definition, { attempts: [ERROR] });
    expect(await redrive(execution)).toMatchObject({ status: 'FAILED', error: 'Broken', cause: 'told' });
    expect(payloads).toHaveLength(1);
    expect(eventLines(execution).slice(6)).toEqual([
      '7<6 FailStateEntered F',
      '8<7 ExecutionFailed',
      '9<8 ExecutionRedriven',
      '10<9 FailStateEntered F',
      '11<10 ExecutionFailed',
    ]);
  });

  test('evaluates the conditions of a Choice again', async () => {
    const condition = '{% $states.context.Execution.RedriveCount = 1 %}';
    const choice = { Type: 'Choice', Choices: [{ Condition: condition, Next: 'D' }] };
    const definition = graph('C', choice, { D: { Type: 'Succeed', Output: 'chosen' } });
    const { execution } = await failed(definition, {}, 'States.NoChoiceMatched');
    expect(await redrive(execution)).toMatchObject({ status: 'SUCCEEDED', output: 'chosen' });
  });

  test('that was stopped in a Wait leaves it when its time has come', async () => {
    const Timestamp = new Date(START + 60_000).toISOString();
    const { start, clock } = machine(graph('W', { Type: 'Wait', Timestamp, End: true }));
    const execution = start('run');
    await execution.abort({});
    await clock.sleep(90_000, new AbortController().signal);
    expect(await redrive(execution)).toMatchObject({ status: 'SUCCEEDED' });
    expect(clock.now()).toBe(START + 90_000);
  });
});

describe('redriving a Parallel state', () => {
  test('runs only the branches that failed or were aborted', async () => {
    const sending = (Payload: string) => ({ Arguments: { FunctionName: 'fn', Payload } });
    const branches = [
      branch('A', sending('a')),
      branch('B', { ...sending('b'), Retry: [{ ErrorEquals: ['Again'] }] }),
      branch('C', sending('c')),
    ];
    const attempts = [{ answer: 'first a' }, { error: 'Again' }, HANG, ERROR] as const;
    const { execution, payloads } = await failed(parallel(branches), { attempts }, 'Broken');
    expect(payloads).toEqual(['a', 'b', 'c', 'b']);
    expect(await redrive(execution)).toMatchObject({ output: ['first a', 'b', 'c'] });
    expect(payloads.slice(4)).toEqual(['b', 'c']);
    const lines = eventLines(execution);
    const redriven = lines.findIndex((line) => line.includes('ExecutionRedriven')) + 1;
    const after = lines.slice(redriven);
    expect(after.slice(0, 4)).toEqual([
      `${redriven + 1}<${redriven} TaskScheduled`,
      `${redriven + 2}<${redriven + 1} TaskStarted`,
      `${redriven + 3}<${redriven} TaskScheduled`,
      `${redriven + 4}<${redriven + 3} TaskStarted`,
    ]);
    expect(after.filter((line) => line.includes('Parallel')).map((line) => line.split(' ')[1])).toEqual([
      'ParallelStateSucceeded',
      'ParallelStateExited',
    ]);
  });

  test('continues a branch at its failed state, with the variables of the branch and those around it', async () => {
    const second = taskState({
      Arguments: { FunctionName: 'fn', Payload: ['{% $outer %}', '{% $inner %}'] },
    });
    const { P } = parallel([branch('A', { Assign: { inner: 2 }, Next: 'B' }, { B: second })])
      .States as JsonObject;
    const definition = graph('S', { Type: 'Pass', Assign: { outer: 1 }, Next: 'P' }, { P });
    const attempts = [{ answer: 'a' }, ERROR];
    const { execution, payloads } = await failed(definition, { input: 0, attempts });
    expect(await redrive(execution)).toMatchObject({ output: [[1, 2]] });
    expect(payloads).toEqual([0, [1, 2], [1, 2]]);
  });

  test('keeps the branches and evaluates only a failed Output again', async () => {
    const Output = '{% $states.context.Execution.RedriveCount = 1 ? "second" : $error("first") %}';
    const definition = parallel([branch('A')], { Output });
    const { execution, payloads } = await failed(definition, { input: 1 }, 'States.QueryEvaluationError');
    expect(await redrive(execution)).toMatchObject({ output: 'second' });
    expect(payloads).toEqual([1]);
  });

  test('runs all branches again if their results were too large', async () => {
    const half = '{% $pad("", 140000, "x") %}';
    const definition = parallel([branch('A', { Output: half }), branch('B', { Output: half })]);
    const { execution, payloads } = await failed(definition, { input: 1 }, 'States.DataLimitExceeded');
    expect(await redrive(execution)).toMatchObject({ error: 'States.DataLimitExceeded' });
    expect(payloads).toEqual([1, 1, 1, 1]);
  });
});

test.each<[string, number, readonly Attempt[], string[], string[], string[]]>([
  ['have not succeeded', 1, [{ answer: 'A' }, ERROR], ['a', 'b'], ['b', 'c', 'd'], ['A', 'b', 'c', 'd']],
  ['were aborted', 2, [HANG, ERROR], ['a', 'b'], ['a', 'b', 'c', 'd'], ['a', 'b', 'c', 'd']],
])(
  'redriving a Map runs the iterations that %s',
  async (_, MaxConcurrency, attempts, first, second, output) => {
    const input = ['a', 'b', 'c', 'd'];
    const { execution, payloads } = await failed(map({ MaxConcurrency }), { input, attempts });
    expect(payloads).toEqual(first);
    expect(await redrive(execution)).toMatchObject({ output });
    expect(payloads.slice(first.length)).toEqual(second);
  },
);

test('no task runs after its execution has been stopped', async () => {
  const { start, payloads } = machine(task());
  const execution = start('run');
  // The task's arguments are not evaluated yet.
  await execution.abort({});
  expect(payloads).toEqual([]);
  expect(await redrive(execution)).toMatchObject({ status: 'SUCCEEDED' });
  expect(payloads).toEqual([{}]);
});

describe('an execution is not redrivable', () => {
  test('more than 14 days after its end', async () => {
    const { execution, clock } = await failed(task(), { attempts: [ERROR] });
    await clock.sleep(14 * DAY_MS, new AbortController().signal);
    expect(execution.notRedrivable()).toBeUndefined();
    await clock.sleep(1, new AbortController().signal);
    expect(execution.notRedrivable()).toBe('Execution redrivable period exceeded');
  });
});
