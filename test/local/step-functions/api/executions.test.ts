/** Operations on executions, called with the unmodified AWS SDK. */
import {
  DescribeExecutionCommand,
  DescribeStateMachineForExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  paginateGetExecutionHistory,
  RedriveExecutionCommand,
  type SFNClient,
  StartExecutionCommand,
  StartSyncExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { JsonObject } from '../../../../local/json';
import { HANG, START, task } from '../../../support/machine-fixture';
import { closeServed, serve } from '../../../support/step-functions-fixture';
import { until } from '../../../support/until';

afterEach(closeServed);

const ERROR = { error: 'Broken', cause: 'it was' };

/** Starts an execution and returns its ARN. */
async function start(client: SFNClient, stateMachineArn: string, name?: string, input?: string) {
  const started = await client.send(new StartExecutionCommand({ stateMachineArn, name, input }));
  return started.executionArn ?? '';
}

async function describeExecution(client: SFNClient, executionArn: string) {
  return await client.send(new DescribeExecutionCommand({ executionArn }));
}

async function ended(client: SFNClient, executionArn: string) {
  return await until('the end of the execution', async () => {
    const description = await describeExecution(client, executionArn);
    return description.status !== 'RUNNING' && description;
  });
}

/** Serves a machine and runs one execution to its end. */
async function ran(
  definition: JsonObject,
  options: Parameters<typeof serve>[1] = {},
  name?: string,
  input?: string,
) {
  const served = await serve(definition, options);
  const executionArn = await start(served.client, served.arn, name, input);
  return { ...served, executionArn, description: await ended(served.client, executionArn) };
}

describe('StartExecution', () => {
  test('starts an execution, which DescribeExecution describes until its end', async () => {
    const { client, arn } = await serve(task());
    const started = await client.send(
      new StartExecutionCommand({
        stateMachineArn: arn,
        name: 'run',
        input: '{ "a": 1 }',
        traceHeader: 'Root=1-2',
      }),
    );
    const executionArn = 'arn:aws:states:us-east-1:000000000000:execution:Machine:run';
    expect(started).toMatchObject({ executionArn, startDate: new Date(START) });
    const { $metadata, ...description } = await ended(client, executionArn);
    expect($metadata).toMatchObject({
      httpStatusCode: 200,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    expect(description).toEqual({
      executionArn,
      stateMachineArn: arn,
      name: 'run',
      status: 'SUCCEEDED',
      startDate: new Date(START),
      stopDate: new Date(START),
      input: '{ "a": 1 }',
      inputDetails: { included: true },
      output: '{"a":1}',
      outputDetails: { included: true },
      traceHeader: 'Root=1-2',
      redriveCount: 0,
      redriveStatus: 'NOT_REDRIVABLE',
      redriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven',
    });
  });

  test('has an empty object as input, and a UUID as name, if the caller passes none', async () => {
    const { client, arn, payloads } = await serve(task());
    const { name } = await ended(client, await start(client, arn));
    expect(name).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(payloads).toEqual([{}]);
  });

  test('is idempotent while the execution runs, and refuses its name afterwards', async () => {
    const { client, arn, payloads } = await serve(task(), { attempts: [HANG] });
    const executionArn = await start(client, arn, 'run', '1');
    expect(await start(client, arn, 'run', '1')).toBe(executionArn);
    expect(payloads).toEqual([1]);
    const refused = {
      name: 'ExecutionAlreadyExists',
      message: `Execution Already Exists: '${executionArn}'`,
    };
    await expect(start(client, arn, 'run', '2')).rejects.toMatchObject(refused);
    await client.send(new StopExecutionCommand({ executionArn }));
    await expect(start(client, arn, 'run', '1')).rejects.toMatchObject(refused);
  });

  test.each([
    ['a name with a slash', { name: 'a/b' }, 'InvalidName', "Invalid Name: 'a/b'"],
    ['a name of 81 characters', { name: 'x'.repeat(81) }, 'ValidationException', 'less than or equal to 80'],
    [
      'input that is not JSON',
      { input: '{' },
      'InvalidExecutionInput',
      'Invalid State Machine Execution Input: ',
    ],
    ['empty input', { input: '' }, 'InvalidExecutionInput', "'Invalid execution input.'"],
    [
      'input above 256 KiB',
      { input: `"${'x'.repeat(262_143)}"` },
      'ValidationException',
      "at 'input' failed",
    ],
    [
      'input above 256 KiB in UTF-8',
      { input: `"${'é'.repeat(131_072)}"` },
      'InvalidExecutionInput',
      'The input has 262146 bytes',
    ],
    [
      'a trace header outside of ASCII',
      { traceHeader: 'é' },
      'ValidationException',
      "Value 'é' at 'traceHeader' failed to satisfy constraint",
    ],
    [
      'another state machine',
      { stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:Other' },
      'StateMachineDoesNotExist',
      "State Machine Does Not Exist: 'arn:aws:states:us-east-1:000000000000:stateMachine:Other'",
    ],
    [
      'text that is not an ARN',
      { stateMachineArn: 'Machine' },
      'InvalidArn',
      "'Invalid ARN prefix: Machine'",
    ],
    [
      'the ARN of an execution',
      { stateMachineArn: 'arn:aws:states:us-east-1:000000000000:execution:Machine:x' },
      'InvalidArn',
      "'Resource type not valid in this context: execution'",
    ],
  ])('refuses %s', async (_, fields, name, message) => {
    const { client, arn } = await serve(task());
    await expect(
      client.send(new StartExecutionCommand({ stateMachineArn: arn, ...fields })),
    ).rejects.toMatchObject({ name, message: expect.stringContaining(message) as string });
  });

  test('accepts input of exactly 256 KiB', async () => {
    const { client, arn } = await serve({
      StartAt: 'P',
      States: { P: { Type: 'Pass', Output: 1, End: true } },
    });
    const executionArn = await start(client, arn, 'large', `"${'x'.repeat(262_142)}"`);
    expect(await ended(client, executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '1' });
  });
});

describe('DescribeExecution', () => {
  test('has the error and cause of a failure', async () => {
    const { description } = await ran(task(), { attempts: [ERROR] });
    expect(description).toMatchObject({
      status: 'FAILED',
      error: 'Broken',
      cause: 'it was',
      redriveStatus: 'REDRIVABLE',
    });
    expect(description).not.toHaveProperty('output');
    expect(description).not.toHaveProperty('redriveStatusReason');
  });

  test('has neither error nor cause of an execution that timed out', async () => {
    const { description } = await ran({ ...task(), TimeoutSeconds: 5 }, { attempts: [HANG] });
    expect(description).toMatchObject({ status: 'TIMED_OUT', redriveStatus: 'REDRIVABLE' });
    expect(description.stopDate).toEqual(new Date(START + 5000));
    expect(description).not.toHaveProperty('error');
    expect(description).not.toHaveProperty('cause');
  });

  test('leaves the data out if the caller wants metadata only', async () => {
    const { client, executionArn } = await ran(task());
    const description = await client.send(
      new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' }),
    );
    expect(description).toMatchObject({
      status: 'SUCCEEDED',
      inputDetails: { included: false },
      outputDetails: { included: false },
    });
    expect(description).not.toHaveProperty('input');
    expect(description).not.toHaveProperty('output');
  });

  test.each([
    [
      'an unknown execution',
      'arn:aws:states:us-east-1:000000000000:execution:Machine:none',
      'ExecutionDoesNotExist',
      "Execution Does Not Exist: 'arn:aws:states:us-east-1:000000000000:execution:Machine:none'",
    ],
    [
      'an Express execution',
      'arn:aws:states:us-east-1:000000000000:express:Machine:a:b',
      'InvalidArn',
      "Invalid Arn: 'Resource type not valid in this context: express'",
    ],
  ])('refuses %s, as all operations on executions do', async (_, executionArn, name, message) => {
    const { client } = await serve(task());
    const calls = [
      client.send(new DescribeExecutionCommand({ executionArn })),
      client.send(new DescribeStateMachineForExecutionCommand({ executionArn })),
      client.send(new GetExecutionHistoryCommand({ executionArn })),
      client.send(new RedriveExecutionCommand({ executionArn })),
      client.send(new StopExecutionCommand({ executionArn })),
    ];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { name, message } });
    }
  });
});

describe('StartSyncExecution', () => {
  test('returns the outcome of an Express execution', async () => {
    const { client, arn } = await serve(task({ Retry: [{ ErrorEquals: ['Again'] }] }), {
      type: 'EXPRESS',
      attempts: [{ error: 'Again' }],
    });
    const { $metadata, executionArn, ...outcome } = await client.send(
      new StartSyncExecutionCommand({ stateMachineArn: arn, name: 'run', input: '{"a":1}' }),
    );
    expect($metadata.httpStatusCode).toBe(200);
    expect(executionArn).toMatch(/^arn:aws:states:us-east-1:000000000000:express:Machine:run:[0-9a-f-]{36}$/);
    expect(outcome).toEqual({
      stateMachineArn: arn,
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
    const { client, arn } = await serve(
      { ...task(), TimeoutSeconds: 5 },
      { type: 'EXPRESS', attempts: [ERROR, HANG] },
    );
    const command = new StartSyncExecutionCommand({ stateMachineArn: arn });
    expect(await client.send(command)).toMatchObject({ status: 'FAILED', error: 'Broken', cause: 'it was' });
    expect(await client.send(command)).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
  });

  test('does not run a Standard state machine', async () => {
    const { client, arn, payloads } = await serve(task());
    await expect(client.send(new StartSyncExecutionCommand({ stateMachineArn: arn }))).rejects.toMatchObject({
      name: 'StateMachineTypeNotSupported',
      message: 'This operation is not supported by this type of state machine',
    });
    expect(payloads).toEqual([]);
  });
});

test('StartExecution of an Express state machine starts executions of the same name', async () => {
  const { client, arn, payloads } = await serve(task(), { type: 'EXPRESS' });
  const [one, two] = [await start(client, arn, 'same', '1'), await start(client, arn, 'same', '1')];
  expect(one).not.toBe(two);
  expect(payloads).toEqual([1, 1]);
});

describe('StopExecution', () => {
  test('aborts an execution with an error and a cause', async () => {
    const { client, arn } = await serve(task(), { attempts: [HANG] });
    const executionArn = await start(client, arn);
    const stopped = await client.send(
      new StopExecutionCommand({ executionArn, error: 'Enough', cause: 'no time' }),
    );
    expect(stopped.stopDate).toEqual(new Date(START));
    expect(await describeExecution(client, executionArn)).toMatchObject({
      status: 'ABORTED',
      error: 'Enough',
      cause: 'no time',
      stopDate: new Date(START),
      redriveStatus: 'REDRIVABLE',
    });
  });

  test('leaves an execution that has ended as it is', async () => {
    const { client, executionArn } = await ran(task());
    await client.send(new StopExecutionCommand({ executionArn }));
    expect(await describeExecution(client, executionArn)).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('RedriveExecution', () => {
  test('continues a failed execution', async () => {
    const { client, executionArn } = await ran(task(), { attempts: [ERROR], input: 1 }, 'run', '1');
    const { redriveDate } = await client.send(new RedriveExecutionCommand({ executionArn }));
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
    const command = new RedriveExecutionCommand({ executionArn, clientToken: 'token' });
    const { redriveDate } = await client.send(command);
    await ended(client, executionArn);
    expect(await client.send(command)).toMatchObject({ redriveDate });
    expect(payloads).toHaveLength(2);
  });

  test('refuses executions that run or have succeeded', async () => {
    const { client, arn } = await serve(task(), { attempts: [HANG] });
    const executionArn = await start(client, arn);
    const command = new RedriveExecutionCommand({ executionArn });
    await expect(client.send(command)).rejects.toMatchObject({
      name: 'ExecutionNotRedrivable',
      message: 'Execution is RUNNING and cannot be redriven',
    });
    await client.send(new StopExecutionCommand({ executionArn }));
    await client.send(command);
    await ended(client, executionArn);
    await expect(client.send(command)).rejects.toMatchObject({
      message: 'Execution is SUCCEEDED and cannot be redriven',
    });
  });
});

describe('GetExecutionHistory', () => {
  test('returns the events with their details', async () => {
    const { client, executionArn } = await ran(task(), { attempts: [ERROR] }, 'run', '1');
    const { events } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    expect(events?.map(({ id, previousEventId, type }) => [id, previousEventId, type])).toEqual([
      [1, 0, 'ExecutionStarted'],
      [2, 0, 'TaskStateEntered'],
      [3, 2, 'TaskScheduled'],
      [4, 3, 'TaskStarted'],
      [5, 4, 'TaskFailed'],
      [6, 5, 'ExecutionFailed'],
    ]);
    expect(events).toMatchObject([
      { timestamp: new Date(START), executionStartedEventDetails: { input: '1', roleArn: 'arn:role' } },
      { stateEnteredEventDetails: { name: 'A', input: '1', inputDetails: { truncated: false } } },
      { taskScheduledEventDetails: { resourceType: 'lambda', resource: 'invoke', region: 'us-east-1' } },
      { taskStartedEventDetails: { resourceType: 'lambda', resource: 'invoke' } },
      { taskFailedEventDetails: { error: 'Broken', cause: 'it was' } },
      { executionFailedEventDetails: { error: 'Broken', cause: 'it was' } },
    ]);
  });

  test('returns pages, in both orders', async () => {
    const { client, executionArn } = await ran(task());
    const pages = async (reverseOrder: boolean): Promise<(number | undefined)[][]> => {
      const found: (number | undefined)[][] = [];
      for await (const { events = [] } of paginateGetExecutionHistory(
        { client, pageSize: 3 },
        { executionArn, reverseOrder },
      )) {
        found.push(events.map(({ id }) => id));
      }
      return found;
    };
    expect(await pages(false)).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
    expect(await pages(true)).toEqual([[7, 6, 5], [4, 3, 2], [1]]);
  });

  test('leaves data out on request', async () => {
    const { client, executionArn } = await ran(task({ Assign: { x: 1 } }), {}, 'run', '"secret"');
    const command = { executionArn, includeExecutionData: false };
    const { events } = await client.send(new GetExecutionHistoryCommand(command));
    expect(events).toHaveLength(7);
    expect(events?.[1]).toMatchObject({ stateEnteredEventDetails: { name: 'A' } });
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  test('continues in reverse order where it was when the execution goes on', async () => {
    const { client, arn } = await serve(task(), { attempts: [HANG] });
    const executionArn = await start(client, arn);
    const command = { executionArn, reverseOrder: true, maxResults: 1 };
    const first = await until('the second event', async () => {
      const page = await client.send(new GetExecutionHistoryCommand(command));
      return page.nextToken !== undefined && page;
    });
    await client.send(new StopExecutionCommand({ executionArn }));
    const second = await client.send(
      new GetExecutionHistoryCommand({ ...command, nextToken: first.nextToken }),
    );
    expect(second.events?.[0].id).toBe(Number(first.events?.[0].id) - 1);
  });

  test.each([
    [{ nextToken: 'other' }, 'InvalidToken'],
    [{ maxResults: 1001 }, 'ValidationException'],
    [{ maxResults: -1 }, 'ValidationException'],
  ])('refuses %j', async (fields, name) => {
    const { client, arn } = await serve(task());
    const executionArn = await start(client, arn);
    await expect(
      client.send(new GetExecutionHistoryCommand({ executionArn, ...fields })),
    ).rejects.toMatchObject({ name });
  });
});

describe('ListExecutions', () => {
  test('lists the newest first, filtered by status and redrive', async () => {
    const { client, arn } = await serve(task(), { attempts: [ERROR, { answer: 2 }, { answer: 3 }] });
    const failed = await start(client, arn, 'one');
    await ended(client, failed);
    await ended(client, await start(client, arn, 'two'));
    const list = async (fields: object) => {
      const { executions = [] } = await client.send(
        new ListExecutionsCommand({ stateMachineArn: arn, ...fields }),
      );
      return executions.map(({ name, status }) => [name, status]);
    };
    expect(await list({})).toEqual([
      ['two', 'SUCCEEDED'],
      ['one', 'FAILED'],
    ]);
    expect(await list({ statusFilter: 'FAILED' })).toEqual([['one', 'FAILED']]);
    expect(await list({ redriveFilter: 'REDRIVEN' })).toEqual([]);
    await client.send(new RedriveExecutionCommand({ executionArn: failed }));
    await ended(client, failed);
    expect(await list({ redriveFilter: 'REDRIVEN' })).toEqual([['one', 'SUCCEEDED']]);
    expect(await list({ redriveFilter: 'NOT_REDRIVEN' })).toEqual([['two', 'SUCCEEDED']]);
  });

  test('returns pages, whatever starts meanwhile', async () => {
    const { client, arn } = await serve(task());
    for (const name of ['a', 'b', 'c']) await ended(client, await start(client, arn, name));
    const command = { stateMachineArn: arn, maxResults: 2 };
    const first = await client.send(new ListExecutionsCommand(command));
    expect(first.executions?.map(({ name }) => name)).toEqual(['c', 'b']);
    await start(client, arn, 'between-the-pages');
    const second = await client.send(new ListExecutionsCommand({ ...command, nextToken: first.nextToken }));
    expect(second.executions?.map(({ name }) => name)).toEqual(['a']);
    expect(second.nextToken).toBeUndefined();
  });

  test.each([
    [
      { statusFilter: 'DONE' as never },
      'ValidationException',
      'Member must satisfy enum value set: [SUCCEEDED, TIMED_OUT',
    ],
    [{ mapRunArn: 'arn' }, 'ValidationException', 'the local cloud has no Map Runs'],
    [{ stateMachineArn: undefined }, 'ValidationException', "Value null at 'stateMachineArn'"],
  ])('refuses %j', async (fields, name, message) => {
    const { client, arn } = await serve(task());
    await expect(
      client.send(new ListExecutionsCommand({ stateMachineArn: arn, ...fields })),
    ).rejects.toMatchObject({ name, message: expect.stringContaining(message) as string });
  });

  test('does not list Express executions', async () => {
    const { client, arn } = await serve(task(), { type: 'EXPRESS' });
    await expect(client.send(new ListExecutionsCommand({ stateMachineArn: arn }))).rejects.toMatchObject({
      name: 'StateMachineTypeNotSupported',
    });
  });
});
