/** What a long-lived client does after its stack was deleted and deployed again: the ARN is the same, bucket and model are not. */
import type { PipelineSignature } from '../../client';
import {
  body,
  described,
  EXECUTION,
  fakeAws,
  inTurn,
  output,
  RESULTS,
  serviceError,
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

function refusedRequest() {
  const cause = '{"slice":0,"message":"request is missing or not permitted"}';
  return { executionArn: EXECUTION, status: 'FAILED', error: 'InvalidInput', cause };
}

describe('results in another bucket', () => {
  it('are read from it after the client has asked for the description again', async () => {
    const aws = fakeAws({
      DescribeStateMachine: redeployed(),
      StartSyncExecution: () => succeeded(inNext),
      GetObject: () => body(RESULTS),
    });
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
      await expect(aws.model.infer(small)).rejects.toMatchObject({
        name: 'InvalidOutput',
        message:
          "the results of the execution must be in the bucket 'the-bucket', got 'bucket-two': call again when no deployment is " +
          'under way, and use the ARN of the state machine itself if this one names an older version',
        executionArn: EXECUTION,
      });
      expect(aws.names().filter((name) => name === 'DescribeStateMachine')).toHaveLength(times);
    }
    expect(aws.names()).not.toContain('GetObject');
  });

  it('are refused if the description cannot be had', async () => {
    const aws = fakeAws({
      DescribeStateMachine: inTurn(described(), serviceError('ThrottlingException')),
      StartSyncExecution: () => succeeded(inNext),
    });
    await expect(aws.model.infer(small)).rejects.toMatchObject({ name: 'ThrottlingException' });
  });
});

describe('an output of another deployment', () => {
  const next = { deploymentDigest: NEXT.deploymentDigest };

  it('is checked against its own signature', async () => {
    const outputs = [{ name: 'z', dtype: 'float32', shape: null } as const];
    const aws = fakeAws({
      DescribeStateMachine: redeployed({ ...next, outputs }),
      StartSyncExecution: () => succeeded(output(true, next.deploymentDigest)),
    });
    await expect(aws.model.infer(small)).rejects.toThrow("must have the tensor 'z' float32[...], got none");
  });

  it('makes the client ask once if the description never fits, as with an alias of an older version', async () => {
    const aws = fakeAws({ StartSyncExecution: () => succeeded(output(true, next.deploymentDigest)) });
    for (let call = 1; call <= 3; call++) {
      expect((await aws.model.infer(small)).deploymentDigest).toBe(next.deploymentDigest);
    }
    expect(aws.names().filter((name) => name === 'DescribeStateMachine')).toHaveLength(2);
  });

  it('is returned although the description cannot be had', async () => {
    const aws = fakeAws({
      DescribeStateMachine: inTurn(described(), serviceError('ThrottlingException')),
      StartSyncExecution: () => succeeded(output(true, next.deploymentDigest)),
    });
    expect((await aws.model.infer(small)).outputs.y.data).toEqual(Float32Array.of(2));
  });
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
    const puts = aws.calls.filter((call) => call.name === 'PutObject').map(({ input }) => input.Bucket);
    expect(puts).toEqual(['the-bucket', 'bucket-two']);
    expect(events).toEqual(['restarted', 'started', 'ended']);
  });

  it('whose request went into a bucket that was retained starts once more', async () => {
    const aws = fakeAws({
      DescribeStateMachine: redeployed(),
      PutObject: () => ({}),
      StartSyncExecution: inTurn(refusedRequest(), succeeded(inNext)),
      GetObject: () => body(RESULTS),
    });
    expect((await aws.model.infer(large)).deploymentDigest).toBe(NEXT.deploymentDigest);
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
      expect(aws.names().filter((name) => name.startsWith('Start'))).toEqual([
        'StartSyncExecution',
        'StartExecution',
      ]);
    },
  );

  it('fails as it did if nothing was deployed, or if the description cannot be had', async () => {
    for (const second of [described(), serviceError('ThrottlingException')]) {
      const aws = fakeAws({
        DescribeStateMachine: inTurn(described(), second),
        StartSyncExecution: () => refusedRequest(),
      });
      await expect(aws.model.infer(small)).rejects.toMatchObject({ name: 'InvalidInput', slice: 0 });
      expect(aws.names()).toEqual(['DescribeStateMachine', 'StartSyncExecution', 'DescribeStateMachine']);
    }
  });

  it('is not started again by invoke, whose input is the same for each model', async () => {
    const aws = fakeAws({ DescribeStateMachine: redeployed(), StartSyncExecution: () => refusedRequest() });
    await expect(aws.model.invoke({})).rejects.toMatchObject({ name: 'InvalidInput' });
    expect(aws.names().filter((name) => name === 'StartSyncExecution')).toHaveLength(1);
  });
});
