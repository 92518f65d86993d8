/** Lets an execution of a Standard pipeline fail, and redrives it when the cause is gone. */
import { GetBucketPolicyCommand, GetObjectCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, RedriveExecutionCommand } from '@aws-sdk/client-sfn';
import { decodeTensors } from '../../client';
import { until } from '../../test/support/until';
import type { Caller } from './callers';
import type { MiniStack } from './ministack';
import { isIdentical, type Machine, type Question } from './pipelines';

/** Throws if the execution does not fail, or the redrive does not return the results. */
export async function failAndRedrive(
  { arn, pipeline }: Machine,
  { file, outputs }: Question,
  caller: Caller,
  { s3, sfn }: MiniStack,
): Promise<void> {
  const Bucket = pipeline?.bucket;
  const { Policy = '{}' } = await s3.send(new GetBucketPolicyCommand({ Bucket }));
  const policy = JSON.parse(Policy) as { Statement: object[] };
  const denial = {
    ...{ Effect: 'Deny', Principal: '*', Action: 's3:PutObject' },
    Resource: `arn:aws:s3:::${Bucket ?? ''}/outputs/*`,
  };
  const denied = JSON.stringify({ ...policy, Statement: [...policy.Statement, denial] });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: denied }));
  const request = { stateMachineArn: arn, inputs: file, outputs: `${file}.failed`, results: 's3' } as const;
  const { error = 'none', executionArn } = await caller.answer(request);
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  if (!error.startsWith('SliceFailed'))
    throw new Error(`a run must fail that may not write its results, got ${error}`);

  await sfn.send(new RedriveExecutionCommand({ executionArn }));
  const end = await until('the end of the redriven run', async () => {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return execution.status !== 'RUNNING' && execution;
  });
  if (end.status !== 'SUCCEEDED')
    throw new Error(`the redriven run must succeed, got ${end.error ?? 'none'}: ${end.cause ?? ''}`);
  const { s3: place } = (JSON.parse(end.output ?? '') as { outputs: { s3: { key: string } } }).outputs;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: place.key }));
  const results = decodeTensors((await Body?.transformToByteArray()) ?? new Uint8Array());
  if (!isIdentical(outputs, results))
    throw new Error('the redriven run returned other bits than ONNX Runtime');
}
