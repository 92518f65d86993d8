/** The operations on executions and state machines, called with the unmodified AWS SDK. */
import type { SFN, StartExecutionCommandInput } from '@aws-sdk/client-sfn';
import type { JsonObject } from '../../../../local/json';
import { HANG, type MachineOptions, pass, START, task } from '../../../support/machine-fixture';
import { bucketOf, distributedMap } from '../../../support/map-run-fixture';
import { serve } from '../../../support/step-functions-fixture';
import { until } from '../../../support/until';

const ERROR = { error: 'Broken', cause: 'it was' };
const MACHINES = 'arn:aws:states:us-east-1:000000000000';
const EXECUTION = `${MACHINES}:execution:Machine`;

async function ended(client: SFN, executionArn: string) {
  return await until('the end of the execution', async () => {
    const description = await client.describeExecution({ executionArn });
    return description.status !== 'RUNNING' && description;
  });
}

/** Serves a machine and starts an execution named `run`. */
async function started(
  definition: JsonObject,
  options: MachineOptions = {},
  fields: Partial<StartExecutionCommandInput> = {},
) {
  const served = await serve(definition, options);
  const { client, arn: stateMachineArn } = served;
  const { executionArn = '' } = await client.startExecution({ stateMachineArn, name: 'run', ...fields });
  return { ...served, stateMachineArn, executionArn };
}

async function ran(...given: Parameters<typeof started>) {
  const served = await started(...given);
  return { ...served, description: await ended(served.client, served.executionArn) };
}

function refusal(name: string, message: string) {
  return { name, message: expect.stringContaining(message) as string };
}

describe('StartExecution', () => {
  test('starts an execution, which DescribeExecution describes until its end', async () => {
    const { executionArn, description } = await ran(task(), {}, { input: '{ "a": 1 }' });
    const { $metadata, ...described } = description;
    expect($metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(described).toEqual({
      executionArn,
      stateMachineArn: `${MACHINES}:stateMachine:Machine`,
      name: 'run',
      status: 'SUCCEEDED',
      startDate: new Date(START),
      stopDate: new Date(START),
      input: '{ "a": 1 }',
      output: '{"a":1}',
      redriveCount: 0,
      redriveStatus: 'NOT_REDRIVABLE',
      redriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven',
    });
  });

  test('has an empty object as input, and a UUID as name, if the caller passes none', async () => {
    const { description, payloads } = await ran(task(), {}, { name: undefined });
    expect(description.name).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(payloads).toEqual([{}]);
  });

  test('is idempotent while the execution runs, and refuses its name afterwards', async () => {
    const same = { name: 'run', input: '1' };
    const served = await started(task(), { attempts: [HANG] }, same);
    const { client, stateMachineArn, executionArn, payloads } = served;
    const start = (fields: object) => client.startExecution({ stateMachineArn, ...same, ...fields });
    expect(await start({})).toMatchObject({ executionArn });
    expect(payloads).toEqual([1]);
    const refused = refusal('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
    await expect(start({ input: '2' })).rejects.toMatchObject(refused);
    await client.stopExecution({ executionArn });
    await expect(start({})).rejects.toMatchObject(refused);
  });

  test.each([
    [{ name: 'a/b' }, 'InvalidName', "Invalid Name: 'a/b'"],
    [{ name: 'x'.repeat(81) }, 'ValidationException', 'less than or equal to 80'],
    [{ input: '{' }, 'InvalidExecutionInput', 'Invalid State Machine Execution Input: '],
    [{ input: '' }, 'InvalidExecutionInput', 'Invalid State Machine Execution Input: '],
    [{ input: `"${'x'.repeat(262_143)}"` }, 'ValidationException', "at 'input' failed"],
    [{ input: `"${'é'.repeat(131_072)}"` }, 'InvalidExecutionInput', 'The input has 262146 bytes'],
    [{ stateMachineArn: `${MACHINES}:stateMachine:Other` }, 'StateMachineDoesNotExist', 'Other'],
    [{ stateMachineArn: undefined }, 'ValidationException', "at 'stateMachineArn' failed"],
    [{ stateMachineArn: 'Machine' }, 'InvalidArn', "'Machine'"],
  ])('refuses %.60j', async (fields, name, message) => {
    await expect(started(task(), {}, fields)).rejects.toMatchObject(refusal(name, message));
  });

  test('accepts input of exactly 256 KiB', async () => {
    const { description } = await ran(pass(1), {}, { input: `"${'x'.repeat(262_142)}"` });
    expect(description).toMatchObject({ status: 'SUCCEEDED', output: '1' });
  });

  test('of an Express state machine starts executions of the same name, which are not listed', async () => {
    const { client, stateMachineArn, executionArn } = await started(task(), { type: 'EXPRESS' });
    const again = await client.startExecution({ stateMachineArn, name: 'run' });
    expect(again.executionArn).not.toBe(executionArn);
    await expect(client.listExecutions({ stateMachineArn })).rejects.toMatchObject({
      name: 'StateMachineTypeNotSupported',
    });
  });
});

describe('operations on executions', () => {
  test('describe failures, and no error of an execution that timed out', async () => {
    const failed = await ran(task(), { attempts: [ERROR] });
    expect(failed.description).toMatchObject({ status: 'FAILED', ...ERROR, redriveStatus: 'REDRIVABLE' });
    const { description } = await ran({ ...task(), TimeoutSeconds: 5 }, { attempts: [HANG] });
    expect(description).toMatchObject({ status: 'TIMED_OUT', stopDate: new Date(START + 5000) });
    expect(description).not.toHaveProperty('error');
  });

  test.each([
    [`${EXECUTION}:none`, 'ExecutionDoesNotExist', `Execution Does Not Exist: '${EXECUTION}:none'`],
    [`${MACHINES}:express:Machine:a:b`, 'InvalidArn', 'is not that of a resource of type execution'],
  ])('refuse %s', async (executionArn, name, message) => {
    const { client } = await serve(task());
    const calls = [
      client.describeExecution({ executionArn }),
      client.getExecutionHistory({ executionArn }),
      client.redriveExecution({ executionArn }),
      client.stopExecution({ executionArn }),
    ];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: refusal(name, message) });
    }
  });

  test('stop one that runs, with an error and a cause, and leave one that has ended as it is', async () => {
    const { client, executionArn } = await started(task(), { attempts: [HANG] });
    await client.stopExecution({ executionArn, ...ERROR });
    const stopped = { status: 'ABORTED', ...ERROR, redriveStatus: 'REDRIVABLE' };
    expect(await client.describeExecution({ executionArn })).toMatchObject(stopped);
    await client.stopExecution({ executionArn });
    expect(await client.describeExecution({ executionArn })).toMatchObject(stopped);
  });

  test('redrive one that has failed, and list the newest first', async () => {
    const { client, stateMachineArn, executionArn } = await ran(task(), { attempts: [ERROR] });
    const two = await client.startExecution({ stateMachineArn, name: 'two' });
    await ended(client, two.executionArn ?? '');
    const list = async (statusFilter?: 'FAILED') => {
      const { executions = [] } = await client.listExecutions({ stateMachineArn, statusFilter });
      return executions.map(({ name, status }) => `${name} ${status}`);
    };
    expect([await list(), await list('FAILED')]).toEqual([['two SUCCEEDED', 'run FAILED'], ['run FAILED']]);
    const { redriveDate } = await client.redriveExecution({ executionArn });
    expect(await ended(client, executionArn)).toMatchObject({
      ...{ status: 'SUCCEEDED', output: '{}', redriveCount: 1, redriveDate, startDate: new Date(START) },
    });
    const refused = refusal('ExecutionNotRedrivable', 'Execution is SUCCEEDED and cannot be redriven');
    await expect(client.redriveExecution({ executionArn })).rejects.toMatchObject(refused);
  });

  test('return the history with its details, in both orders', async () => {
    const { client, executionArn } = await ran(task(), { attempts: [ERROR] }, { input: '1' });
    const { events } = await client.getExecutionHistory({ executionArn });
    const lambda = { resourceType: 'lambda', resource: 'invoke' };
    expect(events).toMatchObject([
      {
        ...{ id: 1, type: 'ExecutionStarted', timestamp: new Date(START) },
        executionStartedEventDetails: { input: '1', roleArn: 'arn:role' },
      },
      { id: 2, type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'A', input: '1' } },
      { type: 'TaskScheduled', taskScheduledEventDetails: { ...lambda, region: 'us-east-1' } },
      { type: 'TaskStarted', taskStartedEventDetails: lambda },
      { type: 'TaskFailed', taskFailedEventDetails: ERROR },
      { id: 6, type: 'ExecutionFailed', executionFailedEventDetails: ERROR },
    ]);
    const reversed = await client.getExecutionHistory({ executionArn, reverseOrder: true });
    expect(reversed.events).toEqual(events?.toReversed());
  });
});

describe('Map Runs', () => {
  async function mapRun() {
    const { storage } = await bucketOf({ 'i.jsonl': '1\n2\n3\n' });
    const fields = { ToleratedFailureCount: 1, MaxConcurrency: 1, ItemBatcher: { MaxItemsPerBatch: 2 } };
    const served = await ran(distributedMap('i.jsonl', fields), { storage, attempts: [ERROR] });
    const { mapRuns = [] } = await served.client.listMapRuns({ executionArn: served.executionArn });
    return { ...served, mapRuns, mapRunArn: mapRuns[0].mapRunArn };
  }

  test('are listed and described, and are in the history', async () => {
    const { client, executionArn, mapRuns, mapRunArn } = await mapRun();
    const times = { startDate: new Date(START), stopDate: new Date(START) };
    const arns = { executionArn, mapRunArn };
    expect(mapRuns).toEqual([
      { ...arns, ...times, stateMachineArn: `${MACHINES}:stateMachine:Machine/Items` },
    ]);
    const { $metadata, ...description } = await client.describeMapRun({ mapRunArn });
    expect($metadata.httpStatusCode).toBe(200);
    const none = { pending: 1, running: 0, succeeded: 0, timedOut: 0, aborted: 0 };
    expect(description).toEqual({
      ...{ ...arns, ...times, status: 'FAILED', redriveCount: 0 },
      ...{ maxConcurrency: 1, toleratedFailureCount: 1, toleratedFailurePercentage: 0 },
      itemCounts: { ...none, total: 3, failed: 2, resultsWritten: 2 },
      executionCounts: { ...none, total: 2, failed: 1, resultsWritten: 1 },
    });
    await client.redriveExecution({ executionArn });
    await ended(client, executionArn);
    const redriven = { status: 'SUCCEEDED', redriveCount: 1, redriveDate: new Date(START) };
    expect(await client.describeMapRun({ mapRunArn })).toMatchObject(redriven);
    const { events = [] } = await client.getExecutionHistory({ executionArn });
    const error = 'States.ExceedToleratedFailureThreshold';
    expect(events.filter(({ type = '' }) => type.startsWith('MapRun'))).toMatchObject([
      { type: 'MapRunStarted', mapRunStartedEventDetails: { mapRunArn } },
      { type: 'MapRunFailed', mapRunFailedEventDetails: { error } },
      { type: 'MapRunRedriven', mapRunRedrivenEventDetails: { mapRunArn, redriveCount: 1 } },
      { type: 'MapRunSucceeded' },
    ]);
  });

  test('that do not exist are refused', async () => {
    const { client, mapRunArn = '' } = await mapRun();
    const unknown = client.describeMapRun({ mapRunArn: `${mapRunArn}0` });
    await expect(unknown).rejects.toMatchObject(refusal('ResourceNotFound', 'Resource Not Found'));
  });
});

describe('StartSyncExecution', () => {
  test.each<[object, MachineOptions]>([
    [{ status: 'SUCCEEDED', output: '{"a":1}', stopDate: new Date(START) }, {}],
    [{ status: 'FAILED', ...ERROR }, { attempts: [ERROR] }],
    [{ status: 'TIMED_OUT', error: 'States.Timeout' }, { attempts: [HANG] }],
  ])('returns the outcome %j', async (expected, options) => {
    const definition = { ...task(), TimeoutSeconds: 5 };
    const { client, arn: stateMachineArn } = await serve(definition, { type: 'EXPRESS', ...options });
    const input = '{"a":1}';
    const outcome = await client.startSyncExecution({ stateMachineArn, name: 'run', input });
    expect(outcome).toMatchObject({ stateMachineArn, name: 'run', input, startDate: new Date(START) });
    expect(outcome).toMatchObject(expected);
    expect(outcome.executionArn).toMatch(new RegExp(`^${MACHINES}:express:Machine:run:[0-9a-f-]{36}$`));
  });

  test('does not run a Standard state machine', async () => {
    const { client, arn: stateMachineArn } = await serve(task());
    const message = 'This operation is not supported by this type of state machine';
    await expect(client.startSyncExecution({ stateMachineArn })).rejects.toMatchObject(
      refusal('StateMachineTypeNotSupported', message),
    );
  });
});

test('a state machine is described and listed', async () => {
  const { client, arn: stateMachineArn, stateMachine } = await serve(task());
  const same = { stateMachineArn, name: 'Machine', type: 'STANDARD', creationDate: new Date(START) };
  const { definition } = stateMachine.resource;
  const description = await client.describeStateMachine({ stateMachineArn });
  expect(description).toMatchObject({ ...same, status: 'ACTIVE', roleArn: 'arn:role', definition });
  expect(await client.listStateMachines({})).toMatchObject({ stateMachines: [same] });
});
