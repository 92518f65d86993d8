/** What a long-lived client does after its stack was deleted and deployed again: the ARN is the same, bucket and model are not. */
import type { InferenceError, PipelineSignature } from '../../client';
import {
  type Answers,
  body,
  described,
  EXECUTION,
  fakeAws,
  inTurn,
  output,
  RESULTS,
  serviceError,
  SIGNATURE,
  succeeded,
} from '../support/fake-aws';

const small = { x: [1] };
/** Above 255 KiB as base64. */
const large = { x: { shape: [100_000], data: new Float32Array(100_000) } };
const NEXT = { deploymentDigest: 'cd'.repeat(32), bucket: 'bucket-two' };
const inNext = output(false, NEXT.deploymentDigest, NEXT.bucket);

/** The description of each deployment in turn. */
function redeployed(next: Partial<PipelineSignature> = NEXT, type?: string) {
  return inTurn(described(), described(next, type));
}

describe('results in another bucket', () => {
  it('are read from it after the client has asked for the description again', async () => {
    const ends = { StartSyncExecution: () => succeeded(inNext), GetObject: () => body(RESULTS) };
    const aws = fakeAws({ DescribeStateMachine: redeployed(), ...ends });
    expect((await aws.model.infer(small)).outputs.y.data).toEqual(Float32Array.of(2));
    await aws.model.infer(small);
    expect(aws.names()).toEqual([
      ...['DescribeStateMachine', 'StartSyncExecution', 'DescribeStateMachine', 'GetObject'],
      ...['StartSyncExecution', 'GetObject'],
    ]);
    expect(aws.calls.at(-1)?.input).toMatchObject({ Bucket: NEXT.bucket });
  });

  it('are refused if the new description has another one too, and nothing is read', async () => {
    const aws = fakeAws({ StartSyncExecution: () => succeeded(inNext) });
    for (const times of [2, 3]) {
      const message =
        "the results of the execution must be in the bucket 'the-bucket', got 'bucket-two': call";
      await expect(aws.model.infer(small)).rejects.toMatchObject({
        ...{ name: 'InvalidOutput', message: expect.stringContaining(message) as string },
        executionArn: EXECUTION,
      });
      expect(aws.sent('DescribeStateMachine')).toHaveLength(times);
    }
    expect(aws.names()).not.toContain('GetObject');
  });
});

test('an output of another deployment is checked against its own signature', async () => {
  const { deploymentDigest } = NEXT;
  const outputs = [{ name: 'z', dtype: 'float32', shape: null } as const];
  const aws = fakeAws({
    DescribeStateMachine: redeployed({ deploymentDigest, outputs }),
    StartSyncExecution: () => succeeded(output(true, deploymentDigest)),
  });
  await expect(aws.model.infer(small)).rejects.toThrow("must have the tensor 'z' float32[...], got none");
});

test('a run that a deployment overtakes starts again with the inputs of the new model', async () => {
  const { deploymentDigest } = NEXT;
  const inputs = [{ name: 'x', dtype: 'float64', shape: null } as const];
  const aws = fakeAws({
    DescribeStateMachine: redeployed({ deploymentDigest, inputs }),
    StartSyncExecution: inTurn(
      failed('PlanChanged', thrown(planChanged)),
      succeeded(output(true, deploymentDigest)),
    ),
  });
  expect((await aws.model.infer(small)).deploymentDigest).toBe(deploymentDigest);
  const types = aws.sent('StartSyncExecution').map(({ input }) => /"dtype":"(\w+)"/.exec(String(input))?.[1]);
  expect(types).toEqual(['float32', 'float64']);
});

describe('a call of the old deployment', () => {
  it.each([
    ['whose bucket is gone', 'NoSuchBucket', 404],
    ["whose bucket is another account's", 'AccessDenied', 403],
  ])('%s puts its request into the new one', async (_, name, status) => {
    const aws = fakeAws({
      DescribeStateMachine: redeployed(),
      PutObject: inTurn(serviceError(name, status), {}),
      StartSyncExecution: () => succeeded(inNext),
      GetObject: () => body(RESULTS),
    });
    const events: string[] = [];
    await aws.model.infer(large, { onProgress: ({ event }) => events.push(event) });
    const puts = aws.sent('PutObject').map(({ Bucket }) => Bucket);
    expect(puts).toEqual(['the-bucket', 'bucket-two']);
    expect(events).toEqual(['restarted', 'started', 'ended']);
  });

  it.each(['infer', 'invoke'] as const)(
    'that is now of a Standard state machine starts it as such: %s',
    async (method) => {
      const aws = fakeAws({
        DescribeStateMachine: redeployed({}, 'STANDARD'),
        StartSyncExecution: inTurn(serviceError('StateMachineTypeNotSupported')),
        StartExecution: () => ({}),
        DescribeExecution: () => ({ status: 'SUCCEEDED', output: output() }),
      });
      await aws.model[method](small);
      const starts = aws.names().filter((name) => name.startsWith('Start'));
      expect(starts).toEqual(['StartSyncExecution', 'StartExecution']);
    },
  );

  it('fails as it did if nothing was deployed, or if the description cannot be had', async () => {
    for (const second of [described(), serviceError('ThrottlingException')]) {
      const refusal = failed('InvalidInput', '{"slice":0,"message":"request is missing or not permitted"}');
      const descriptions = inTurn(described(), second);
      const aws = fakeAws({ DescribeStateMachine: descriptions, StartSyncExecution: () => refusal });
      await expect(aws.model.infer(small)).rejects.toMatchObject({ name: 'InvalidInput', slice: 0 });
      expect(aws.names()).toEqual(['DescribeStateMachine', 'StartSyncExecution', 'DescribeStateMachine']);
    }
  });
});

const FUNCTION = 'arn:aws:lambda:us-east-1:123456789012:function:Slice';

/** As a state machine of the user's own has it too: what its tasks call, and the deployment of each. */
function definition(deploymentDigest: string, version: number) {
  const task = { Arguments: { FunctionName: `${FUNCTION}:${version}`, Payload: { deploymentDigest } } };
  return { StartAt: 'Slice 00', States: { 'Slice 00': task } };
}

const express = (...of: Parameters<typeof definition>) => ({
  type: 'EXPRESS',
  definition: JSON.stringify(definition(...of)),
});
const before = express(SIGNATURE.deploymentDigest, 1);
const after = express(NEXT.deploymentDigest, 12);

/** What Lambda says comes as it is from a task that nothing catches, and otherwise as a message. */
const notFound = `Function not found: ${FUNCTION}:1 (Service: Lambda, Status Code: 404)`;
const refused = `User: arn:aws:sts::1:assumed-role/R/s is not authorized to perform: lambda:InvokeFunction on resource: ${FUNCTION}:1 because`;
const ofSlice = { slice: 1, message: 'why', deploymentDigest: SIGNATURE.deploymentDigest };
const planChanged = { slice: 1, message: 'why', got: SIGNATURE.deploymentDigest };
const thrown = (cause: object) => JSON.stringify({ errorMessage: JSON.stringify(cause), trace: [] });

function failed(error: string, cause: string) {
  return { executionArn: EXECUTION, status: 'FAILED', error, cause };
}

/** The state machine of both kinds whose executions end so, one after the other. */
function machine(descriptions: readonly object[], ends: readonly object[]): Answers[] {
  const standard = descriptions.map((description) => ({ ...description, type: 'STANDARD' }));
  const polled = inTurn(...ends);
  return [
    { DescribeStateMachine: inTurn(...descriptions), StartSyncExecution: inTurn(...ends) },
    {
      DescribeStateMachine: inTurn(...standard),
      StartExecution: () => ({ executionArn: EXECUTION }),
      // The first answer of two says only that the execution has ended.
      DescribeExecution: ({ includedData }) =>
        includedData === 'METADATA_ONLY' ? { status: 'FAILED' } : polled(),
    },
  ];
}

async function invoked(answers: Answers) {
  const aws = fakeAws({ ...answers, GetExecutionHistory: () => ({ events: [] }) });
  const events: string[] = [];
  const ended = await aws.model
    .invoke({}, { onProgress: ({ event }) => events.push(event) })
    .catch((error: unknown) => error as InferenceError);
  const count = (name: string): number => aws.names().filter((called) => called.startsWith(name)).length;
  return { ended, events, starts: count('Start'), questions: count('DescribeStateMachine') - 1 };
}

describe.each([
  ['may not use an object', 'SliceFailed', JSON.stringify(ofSlice)],
  ['may not use an object, in a Standard machine', 'SliceFailed', thrown(ofSlice)],
  ['is of the new deployment', 'PlanChanged', thrown(planChanged)],
  ['is gone', 'Lambda.ResourceNotFoundException', JSON.stringify({ slice: 1, message: notFound })],
  ['may not be called', 'Lambda.AWSLambdaException', JSON.stringify({ slice: 1, message: refused })],
])('an execution whose function %s', (_, error, cause) => {
  const end = failed(error, cause);
  const done = succeeded('1');

  it.each([
    ['once if the deployment has replaced it', [before, after], [end, done], 2, 1],
    ['once the new definition is described', [before, before, before, after], [end, done], 2, 3],
    ['more than once if the old definition started again', [before, after], [end, end, end, done], 4, 3],
    ['not if the definition is the same', [before], [end], 1, 6],
    ['six times at most', [before, after], [end], 7, 6],
  ])('is started again: %s', async (_title, descriptions, ends, starts, questions) => {
    for (const answers of machine(descriptions, ends)) {
      const { ended, events, ...counted } = await invoked(answers);
      expect(counted).toEqual({ starts, questions });
      expect(events.filter((event) => event === 'restarted')).toHaveLength(starts - 1);
      expect(ended).toMatchObject(ends.length === 1 ? { name: error } : { output: 1 });
    }
  });
});

test('a failure that no deployment of the pipeline explains is not started again', async () => {
  const own = (cause: object) => failed('PlanChanged', JSON.stringify(cause));
  for (const end of [
    own({ step: 'preprocess', message: 'mine', got: SIGNATURE.deploymentDigest }),
    own({ message: 'mine' }),
    own({ slice: 1, message: 'no digest', got: 'nothing' }),
    failed('PlanChanged', thrown({ step: 'postprocess', message: 'mine' })),
    failed('PlanChanged', '{"errorMessage":"mine","errorType":"PlanChanged"}'),
    failed('SliceFailed', '{"slice":1,"message":"a bug in an operator"}'),
    // In a state machine of the user's own, an expression may name the function.
    failed('Lambda.ResourceNotFoundException', notFound),
  ]) {
    for (const answers of machine([before, after], [end])) {
      const { ended, starts, questions } = await invoked(answers);
      const name = /preprocess|postprocess/.test(end.cause) ? 'HandlerError' : end.error;
      expect([(ended as InferenceError).name, starts, questions]).toEqual([name, 1, 0]);
    }
  }
});

test("a request's object that is missing is asked about once if the caller has named it", async () => {
  const end = failed('InvalidInput', JSON.stringify(ofSlice));
  for (const [call, questions] of [
    ['invoke', 1],
    ['infer', 6],
  ] as const) {
    const aws = fakeAws({ StartSyncExecution: () => end });
    await expect(aws.model[call](small)).rejects.toMatchObject({ name: 'InvalidInput' });
    expect(aws.sent('DescribeStateMachine')).toHaveLength(1 + questions);
  }
});

test('the function of a pipeline that is gone is known from its Standard execution, which names no slice', async () => {
  const comment = JSON.stringify({ slicedInference: SIGNATURE });
  const pipelines = [1, 12].map((version) => ({
    type: 'STANDARD',
    definition: JSON.stringify({ ...definition(SIGNATURE.deploymentDigest, version), Comment: comment }),
  }));
  const [, answers] = machine(pipelines, [
    failed('Lambda.ResourceNotFoundException', notFound),
    succeeded('1'),
  ]);
  const { starts } = await invoked(answers);
  expect(starts).toBe(2);
});
