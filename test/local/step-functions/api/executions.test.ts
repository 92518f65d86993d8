/** The operations on executions and state machines, called with the unmodified AWS SDK. */
import {
  paginateGetExecutionHistory,
  type SFN,
  type StartExecutionCommandInput,
  type StartSyncExecutionCommandInput,
} from '@aws-sdk/client-sfn';
import type { JsonObject } from '../../../../local/json';
import { HANG, type MachineOptions, pass, START, task } from '../../../support/machine-fixture';
import { closeServed, serve } from '../../../support/step-functions-fixture';
import { until } from '../../../support/until';

afterEach(closeServed);

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
  const response = await client.startExecution({ stateMachineArn, name: 'run', ...fields });
  return { ...served, stateMachineArn, executionArn: response.executionArn ?? '', response };
}

/** Serves a machine and runs one execution to its end. */
async function ran(...given: Parameters<typeof started>) {
  const served = await started(...given);
  return { ...served, description: await ended(served.client, served.executionArn) };
}

function refusal(name: string, message: string) {
  return { name, message: expect.stringContaining(message) as string };
}

describe('StartExecution', () => {
  test('starts an execution, which DescribeExecution describes until its end', async () => {
    const given = { input: '{ "a": 1 }', traceHeader: 'Root=1-2' };
    const { response, executionArn, description } = await ran(task(), {}, given);
    expect(response).toMatchObject({ executionArn: `${EXECUTION}:run`, startDate: new Date(START) });
    const { $metadata, ...described } = description;
    expect($metadata).toMatchObject({
      httpStatusCode: 200,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    expect(described).toEqual({
      ...given,
      executionArn,
      stateMachineArn: `${MACHINES}:stateMachine:Machine`,
      name: 'run',
      status: 'SUCCEEDED',
      startDate: new Date(START),
      stopDate: new Date(START),
      inputDetails: { included: true },
      output: '{"a":1}',
      outputDetails: { included: true },
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
    const {
      client,
      arn: stateMachineArn,
      executionArn,
      payloads,
    } = await started(task(), { attempts: [HANG] }, same);
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
    [{ input: '' }, 'InvalidExecutionInput', "'Invalid execution input.'"],
    [{ input: `"${'x'.repeat(262_143)}"` }, 'ValidationException', "at 'input' failed"],
    [{ input: `"${'é'.repeat(131_072)}"` }, 'InvalidExecutionInput', 'The input has 262146 bytes'],
    [{ traceHeader: 'é' }, 'ValidationException', "Value 'é' at 'traceHeader' failed to satisfy constraint"],
    [
      { stateMachineArn: `${MACHINES}:stateMachine:Other` },
      'StateMachineDoesNotExist',
      `State Machine Does Not Exist: '${MACHINES}:stateMachine:Other'`,
    ],
    [{ stateMachineArn: 'Machine' }, 'InvalidArn', "'Invalid ARN prefix: Machine'"],
    [
      { stateMachineArn: `${EXECUTION}:x` },
      'InvalidArn',
      "'Resource type not valid in this context: execution'",
    ],
  ])('refuses %.60j', async (fields, name, message) => {
    await expect(started(task(), {}, fields)).rejects.toMatchObject(refusal(name, message));
  });

  test('accepts input of exactly 256 KiB', async () => {
    const { description } = await ran(pass(1), {}, { input: `"${'x'.repeat(262_142)}"` });
    expect(description).toMatchObject({ status: 'SUCCEEDED', output: '1' });
  });

  test('of an Express state machine starts executions of the same name', async () => {
    const served = await started(task(), { type: 'EXPRESS' }, { input: '1' });
    const { client, stateMachineArn, payloads } = served;
    const again = await client.startExecution({ stateMachineArn, name: 'run', input: '1' });
    expect(again.executionArn).not.toBe(served.executionArn);
    expect(payloads).toEqual([1, 1]);
  });
});

describe('DescribeExecution', () => {
  test('has the error and cause of a failure', async () => {
    const { description } = await ran(task(), { attempts: [ERROR] });
    expect(description).toMatchObject({ status: 'FAILED', ...ERROR, redriveStatus: 'REDRIVABLE' });
    expect(description).not.toHaveProperty('output');
    expect(description).not.toHaveProperty('redriveStatusReason');
  });

  test('has neither error nor cause of an execution that timed out', async () => {
    const { description } = await ran({ ...task(), TimeoutSeconds: 5 }, { attempts: [HANG] });
    const stopDate = new Date(START + 5000);
    expect(description).toMatchObject({ status: 'TIMED_OUT', redriveStatus: 'REDRIVABLE', stopDate });
    expect(description).not.toHaveProperty('error');
    expect(description).not.toHaveProperty('cause');
  });

  test('leaves the data out if the caller wants metadata only', async () => {
    const { client, executionArn } = await ran(task());
    const description = await client.describeExecution({ executionArn, includedData: 'METADATA_ONLY' });
    const left = { included: false };
    expect(description).toMatchObject({ status: 'SUCCEEDED', inputDetails: left, outputDetails: left });
    expect(description).not.toHaveProperty('input');
    expect(description).not.toHaveProperty('output');
  });

  test.each([
    [`${EXECUTION}:none`, 'ExecutionDoesNotExist', `Execution Does Not Exist: '${EXECUTION}:none'`],
    [`${MACHINES}:express:Machine:a:b`, 'InvalidArn', 'Resource type not valid in this context: express'],
  ])('refuses %s, as all operations on executions do', async (executionArn, name, message) => {
    const { client } = await serve(task());
    const calls = [
      client.describeExecution({ executionArn }),
      client.describeStateMachineForExecution({ executionArn }),
      client.getExecutionHistory({ executionArn }),
      client.redriveExecution({ executionArn }),
      client.stopExecution({ executionArn }),
    ];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: refusal(name, message) });
    }
  });
});

describe('StartSyncExecution', () => {
  async function startSync(
    definition: JsonObject,
    options: MachineOptions,
    fields: Partial<StartSyncExecutionCommandInput> = {},
  ) {
    const { client, arn: stateMachineArn } = await serve(definition, { type: 'EXPRESS', ...options });
    return await client.startSyncExecution({ stateMachineArn, name: 'run', ...fields });
  }

  test('returns the outcome of an Express execution', async () => {
    const retrying = task({ Retry: [{ ErrorEquals: ['Again'] }] });
    const { $metadata, executionArn, ...outcome } = await startSync(
      retrying,
      { attempts: [{ error: 'Again' }] },
      { input: '{"a":1}' },
    );
    expect($metadata.httpStatusCode).toBe(200);
    expect(executionArn).toMatch(/^arn:aws:states:us-east-1:000000000000:express:Machine:run:[0-9a-f-]{36}$/);
    expect(outcome).toEqual({
      stateMachineArn: `${MACHINES}:stateMachine:Machine`,
      name: 'run',
      status: 'SUCCEEDED',
      startDate: new Date(START),
      stopDate: new Date(START + 1000),
      input: '{"a":1}',
      inputDetails: { included: true },
      output: '{"a":1}',
      outputDetails: { included: true },
      billingDetails: { billedDurationInMilliseconds: 1000, billedMemoryUsedInMB: 64 },
    });
  });

  test('returns a failure and a timeout as outcomes', async () => {
    expect(await startSync(task(), { attempts: [ERROR] })).toMatchObject({ status: 'FAILED', ...ERROR });
    const late = await startSync({ ...task(), TimeoutSeconds: 5 }, { attempts: [HANG] });
    expect(late).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
  });

  test('does not run a Standard state machine', async () => {
    const message = 'This operation is not supported by this type of state machine';
    await expect(startSync(task(), { type: 'STANDARD' })).rejects.toMatchObject(
      refusal('StateMachineTypeNotSupported', message),
    );
  });
});

describe('StopExecution', () => {
  test('aborts an execution with an error and a cause', async () => {
    const { client, executionArn } = await started(task(), { attempts: [HANG] });
    const reason = { error: 'Enough', cause: 'no time' };
    const stopDate = new Date(START);
    expect(await client.stopExecution({ executionArn, ...reason })).toMatchObject({ stopDate });
    expect(await client.describeExecution({ executionArn })).toMatchObject({
      status: 'ABORTED',
      ...reason,
      stopDate,
      redriveStatus: 'REDRIVABLE',
    });
  });

  test('leaves an execution that has ended as it is', async () => {
    const { client, executionArn } = await ran(task());
    await client.stopExecution({ executionArn });
    expect(await client.describeExecution({ executionArn })).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('RedriveExecution', () => {
  test('continues a failed execution', async () => {
    const { client, executionArn } = await ran(task(), { attempts: [ERROR], input: 1 }, { input: '1' });
    const { redriveDate } = await client.redriveExecution({ executionArn });
    expect(await ended(client, executionArn)).toMatchObject({
      executionArn,
      status: 'SUCCEEDED',
      output: '1',
      redriveCount: 1,
      redriveDate,
      startDate: new Date(START),
    });
  });

  test('with the same token redrives only once', async () => {
    const { client, payloads, executionArn } = await ran(task(), { attempts: [ERROR, ERROR] });
    const redrive = () => client.redriveExecution({ executionArn, clientToken: 'token' });
    const { redriveDate } = await redrive();
    await ended(client, executionArn);
    expect(await redrive()).toMatchObject({ redriveDate });
    expect(payloads).toHaveLength(2);
  });

  test('refuses executions that run or have succeeded', async () => {
    const { client, executionArn } = await started(task(), { attempts: [HANG] });
    const refused = (status: string) =>
      refusal('ExecutionNotRedrivable', `Execution is ${status} and cannot be redriven`);
    await expect(client.redriveExecution({ executionArn })).rejects.toMatchObject(refused('RUNNING'));
    await client.stopExecution({ executionArn });
    await client.redriveExecution({ executionArn });
    await ended(client, executionArn);
    await expect(client.redriveExecution({ executionArn })).rejects.toMatchObject(refused('SUCCEEDED'));
  });
});

describe('GetExecutionHistory', () => {
  test('returns the events with their details', async () => {
    const { client, executionArn } = await ran(task(), { attempts: [ERROR] }, { input: '1' });
    const { events } = await client.getExecutionHistory({ executionArn });
    const lambda = { resourceType: 'lambda', resource: 'invoke' };
    expect(events).toMatchObject([
      {
        ...{ id: 1, previousEventId: 0, type: 'ExecutionStarted', timestamp: new Date(START) },
        executionStartedEventDetails: { input: '1', roleArn: 'arn:role' },
      },
      {
        ...{ id: 2, previousEventId: 0, type: 'TaskStateEntered' },
        stateEnteredEventDetails: { name: 'A', input: '1', inputDetails: { truncated: false } },
      },
      { type: 'TaskScheduled', taskScheduledEventDetails: { ...lambda, region: 'us-east-1' } },
      { type: 'TaskStarted', taskStartedEventDetails: lambda },
      { type: 'TaskFailed', taskFailedEventDetails: ERROR },
      { id: 6, previousEventId: 5, type: 'ExecutionFailed', executionFailedEventDetails: ERROR },
    ]);
  });

  test('returns pages, in both orders', async () => {
    const { client, executionArn } = await ran(task());
    const pages = async (reverseOrder: boolean): Promise<(number | undefined)[][]> => {
      const found: (number | undefined)[][] = [];
      const config = { client, pageSize: 3 };
      for await (const page of paginateGetExecutionHistory(config, { executionArn, reverseOrder })) {
        found.push((page.events ?? []).map(({ id }) => id));
      }
      return found;
    };
    expect(await pages(false)).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
    expect(await pages(true)).toEqual([[7, 6, 5], [4, 3, 2], [1]]);
  });

  test('leaves data out on request', async () => {
    const { client, executionArn } = await ran(task({ Assign: { x: 1 } }), {}, { input: '"secret"' });
    const { events } = await client.getExecutionHistory({ executionArn, includeExecutionData: false });
    expect(events).toHaveLength(7);
    expect(events?.[1]).toMatchObject({ stateEnteredEventDetails: { name: 'A' } });
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  test('continues in reverse order where it was when the execution goes on', async () => {
    const { client, executionArn } = await started(task(), { attempts: [HANG] });
    const list = { executionArn, reverseOrder: true, maxResults: 1 };
    const first = await until('the second event', async () => {
      const page = await client.getExecutionHistory(list);
      return page.nextToken !== undefined && page;
    });
    await client.stopExecution({ executionArn });
    const second = await client.getExecutionHistory({ ...list, nextToken: first.nextToken });
    expect(second.events?.[0].id).toBe(Number(first.events?.[0].id) - 1);
  });

  test.each([
    [{ nextToken: 'other' }, 'InvalidToken'],
    [{ maxResults: 1001 }, 'ValidationException'],
    [{ maxResults: -1 }, 'ValidationException'],
  ])('refuses %j', async (fields, name) => {
    const { client, executionArn } = await started(task());
    await expect(client.getExecutionHistory({ executionArn, ...fields })).rejects.toMatchObject({ name });
  });
});

describe('ListExecutions', () => {
  test('lists the newest first, filtered by status and redrive', async () => {
    const { client, stateMachineArn, executionArn } = await ran(task(), { attempts: [ERROR] });
    const two = await client.startExecution({ stateMachineArn, name: 'two' });
    await ended(client, two.executionArn ?? '');
    const list = async (fields: object) => {
      const { executions = [] } = await client.listExecutions({ stateMachineArn, ...fields });
      return executions.map(({ name, status }) => `${name} ${status}`);
    };
    expect(await list({})).toEqual(['two SUCCEEDED', 'run FAILED']);
    expect(await list({ statusFilter: 'FAILED' })).toEqual(['run FAILED']);
    expect(await list({ redriveFilter: 'REDRIVEN' })).toEqual([]);
    await client.redriveExecution({ executionArn });
    await ended(client, executionArn);
    expect(await list({ redriveFilter: 'REDRIVEN' })).toEqual(['run SUCCEEDED']);
    expect(await list({ redriveFilter: 'NOT_REDRIVEN' })).toEqual(['two SUCCEEDED']);
  });

  test('returns pages, whatever starts meanwhile', async () => {
    const { client, arn: stateMachineArn } = await serve(task());
    for (const name of ['a', 'b', 'c']) await client.startExecution({ stateMachineArn, name });
    const list = { stateMachineArn, maxResults: 2 };
    const first = await client.listExecutions(list);
    expect(first.executions?.map(({ name }) => name)).toEqual(['c', 'b']);
    await client.startExecution({ stateMachineArn, name: 'between-the-pages' });
    const second = await client.listExecutions({ ...list, nextToken: first.nextToken });
    expect(second.executions?.map(({ name }) => name)).toEqual(['a']);
    expect(second.nextToken).toBeUndefined();
  });

  test.each([
    [{ statusFilter: 'DONE' as never }, 'Member must satisfy enum value set: [SUCCEEDED, TIMED_OUT'],
    [{ mapRunArn: 'arn' }, 'the local cloud has no Map Runs'],
    [{ stateMachineArn: undefined }, "Value null at 'stateMachineArn'"],
  ])('refuses %j', async (fields, message) => {
    const { client, arn } = await serve(task());
    await expect(client.listExecutions({ stateMachineArn: arn, ...fields })).rejects.toMatchObject(
      refusal('ValidationException', message),
    );
  });

  test('does not list Express executions', async () => {
    const { client, arn: stateMachineArn } = await serve(task(), { type: 'EXPRESS' });
    await expect(client.listExecutions({ stateMachineArn })).rejects.toMatchObject({
      name: 'StateMachineTypeNotSupported',
    });
  });
});

describe('a state machine', () => {
  test('is described and listed', async () => {
    const { client, arn: stateMachineArn, stateMachine } = await serve(task());
    const same = { stateMachineArn, name: 'Machine', type: 'STANDARD', creationDate: new Date(START) };
    const { $metadata, ...description } = await client.describeStateMachine({ stateMachineArn });
    expect($metadata.httpStatusCode).toBe(200);
    const { definition } = stateMachine.resource;
    expect(description).toEqual({ ...same, status: 'ACTIVE', roleArn: 'arn:role', definition });
    expect(await client.listStateMachines({})).toMatchObject({ stateMachines: [same] });
  });

  test('is described for an execution as it was when the execution started', async () => {
    const { client, stateMachineArn, executionArn, stateMachine } = await started(task());
    const { resource } = stateMachine;
    const later = { startAt: 'X', states: new Map(), timeoutSeconds: undefined };
    stateMachine.update({ ...resource, definition: '{}' }, later);
    const { definition } = resource;
    const described = await client.describeStateMachineForExecution({ executionArn });
    expect(described).toMatchObject({ definition, stateMachineArn });
    expect(await client.describeStateMachine({ stateMachineArn })).toMatchObject({ definition: '{}' });
  });
});
