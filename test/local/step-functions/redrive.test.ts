/** Redriven executions: which states run again, with which data. https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html */
import type { Json, JsonObject } from '../../../local/json';
import type { ExecutionResult } from '../../../local/step-functions/execution';
import type { MachineExecution } from '../../../local/step-functions/machine-execution';
import {
  graph,
  HANG,
  machine,
  type MachineOptions,
  map,
  parallel,
  START,
  task,
  taskState,
} from '../../support/machine-fixture';

function sending(Payload: Json): JsonObject {
  return { Arguments: { FunctionName: 'fn', Payload } };
}

/** An execution that has failed. */
async function failed(definition: JsonObject, options: MachineOptions = {}, error = 'Broken') {
  const started = machine(definition, options);
  const execution = started.start('run');
  expect(await execution.result).toMatchObject({ error });
  return { ...started, execution };
}

async function redrive(execution: MachineExecution): Promise<ExecutionResult> {
  expect(execution.notRedrivable()).toBeUndefined();
  execution.redrive();
  expect(execution.status).toBe('RUNNING');
  return await execution.result;
}

const ERROR = { error: 'Broken' };
const ALL = ['States.ALL'];

type Row = readonly [string, JsonObject, MachineOptions, readonly Json[], readonly Json[], object];

const BRANCHES = [
  graph('A', taskState(sending('a'))),
  graph('B', taskState({ ...sending('b'), Retry: [{ ErrorEquals: ['Again'] }] })),
  graph('C', taskState(sending('c'))),
];
const INNER = graph('A', taskState({ Assign: { inner: 2 }, Next: 'B' }), {
  B: taskState(sending(['{% $states.input %}', '{% $outer %}', '{% $inner %}'])),
});
const FAIL = { Type: 'Fail', Error: '{% $states.input.Error %}', Cause: 'told' };
const CHOICE = {
  Type: 'Choice',
  Choices: [{ Condition: '{% $states.context.Execution.RedriveCount = 1 %}', Next: 'D' }],
};
const ITEMS = ['a', 'b', 'c', 'd'];

test.each<Row>([
  [
    'enters a Fail state again, and fails again',
    task({ Catch: [{ ErrorEquals: ALL, Next: 'F' }] }, { F: FAIL }),
    { attempts: [ERROR] },
    [{}],
    [],
    { status: 'FAILED', error: 'Broken', cause: 'told' },
  ],
  [
    'evaluates the conditions of a Choice again',
    graph('C', CHOICE, { D: { Type: 'Succeed', Output: 'chosen' } }),
    {},
    [],
    [],
    { status: 'SUCCEEDED', output: 'chosen' },
  ],
  [
    'runs only the branches that failed or were aborted',
    parallel(BRANCHES),
    { attempts: [{ answer: 'first a' }, { error: 'Again' }, HANG, ERROR] },
    ['a', 'b', 'c', 'b'],
    ['b', 'c'],
    { output: ['first a', 'b', 'c'] },
  ],
  [
    'continues a branch at its failed state, with its input, and the variables of the branch and those around it',
    graph('S', { Type: 'Pass', Assign: { outer: 1 }, Next: 'P' }, parallel([INNER]).States as JsonObject),
    { input: 0, attempts: [{ answer: 'a' }, ERROR] },
    [0, ['a', 1, 2]],
    [['a', 1, 2]],
    { status: 'SUCCEEDED', output: [['a', 1, 2]] },
  ],
  [
    'runs the iterations that have not succeeded',
    map({ MaxConcurrency: 1 }),
    { input: ITEMS, attempts: [{ answer: 'A' }, ERROR] },
    ['a', 'b'],
    ['b', 'c', 'd'],
    { output: ['A', 'b', 'c', 'd'] },
  ],
])('a redrive %s', async (_, definition, options, first, second, expected) => {
  const { execution, payloads } = await failed(definition, options, expect.any(String) as string);
  expect(payloads).toEqual(first);
  expect(await redrive(execution)).toMatchObject(expected);
  expect(payloads.slice(first.length)).toEqual(second);
});

describe('a redriven execution', () => {
  test('keeps its name, ARN, input and start, and counts its redrives in the context', async () => {
    const definition = task(sending('{% $states.context.Execution %}'));
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
    expect(execution.history.events.find(({ type }) => type === 'ExecutionRedriven')?.details).toEqual({
      redriveCount: 1,
    });
  });

  test('counts retries and the time limits of tasks and machine anew', async () => {
    const definition = {
      ...task({
        TimeoutSeconds: 6,
        ...sending('{% $states.context.State.RetryCount %}'),
        Retry: [{ ErrorEquals: ALL, MaxAttempts: 1, IntervalSeconds: 1 }],
      }),
      TimeoutSeconds: 10,
    };
    const hanging = { attempts: [HANG, HANG, HANG] as const };
    const { execution, payloads, clock } = await failed(definition, hanging, 'States.Timeout');
    expect(execution.status).toBe('TIMED_OUT');
    expect(clock.now()).toBe(START + 10_000);
    expect(await redrive(execution)).toMatchObject({ status: 'SUCCEEDED', output: 1 });
    expect(clock.now()).toBe(START + 17_000);
    expect(payloads).toEqual([0, 1, 0, 1]);
  });

  test('runs a task whose arguments were not evaluated yet when it was stopped', async () => {
    const { start, payloads } = machine(task());
    const execution = start('run');
    await execution.abort({});
    expect(payloads).toEqual([]);
    expect(await redrive(execution)).toMatchObject({ status: 'SUCCEEDED' });
    expect(payloads).toEqual([{}]);
  });
});
