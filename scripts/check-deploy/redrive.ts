/** Lets an execution of a Standard pipeline fail, and redrives it when the cause is gone. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  GetBucketPolicyCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, RedriveExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { decodeTensors } from '../../client';
import type { Caller } from './callers';
import { isIdentical, type Machine, type Question } from './pipelines';

const LIMIT_MS = 60_000;

/** Throws if the execution does not fail, or the redrive does not return the results. */
export async function failAndRedrive(
  { arn, pipeline }: Machine,
  { file, outputs }: Question,
  caller: Caller,
  { s3, sfn }: { readonly s3: S3Client; readonly sfn: SFNClient },
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
  const { error = 'none', executionArn } = await caller.call(request);
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  if (!error.startsWith('SliceFailed'))
    throw new Error(`a run must fail that may not write its results, got ${error}`);

  await sfn.send(new RedriveExecutionCommand({ executionArn }));
  const output = await endOf(sfn, executionArn);
  const { s3: place } = (JSON.parse(output) as { outputs: { s3: { bucket: string; key: string } } }).outputs;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: place.bucket, Key: place.key }));
  const results = decodeTensors((await Body?.transformToByteArray()) ?? new Uint8Array());
  if (!isIdentical(outputs, results))
    throw new Error('the redriven run returned other bits than ONNX Runtime');
}

async function endOf(sfn: SFNClient, executionArn: string | undefined): Promise<string> {
  const end = Date.now() + LIMIT_MS;
  while (Date.now() < end) {
    await pause(100);
    const { status, output, error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status === 'SUCCEEDED') return output ?? '';
    if (status !== 'RUNNING')
      throw new Error(`the redriven run must succeed, got ${error ?? status ?? ''}: ${cause ?? ''}`);
  }
  throw new Error(`the redriven run must end within ${LIMIT_MS / 1000} s`);
}
