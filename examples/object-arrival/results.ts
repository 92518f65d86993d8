/** Waits for the runs that are in progress, and prints the result of each run. */
import { setTimeout as pause } from 'node:timers/promises';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import {
  decodeTensors,
  parseFailureCause,
  toNestedArray,
  type ExecutionInput,
  type ExecutionOutput,
} from 'cdk-sliced-inference/client';

/** A run that has ended. The messages in the queues have these fields too. */
interface Ended {
  readonly status?: string | undefined;
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly cause?: string | undefined;
}

const s3 = new S3Client();

async function resultOf({ status, output = '', cause = '' }: Ended): Promise<string> {
  if (status !== 'SUCCEEDED') return `${status ?? ''}: ${parseFailureCause(cause).message}`;
  const { s3: results } = (JSON.parse(output) as ExecutionOutput).outputs;
  const { bucket: Bucket, key: Key = 'the output' } = results ?? {};
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const tensors = decodeTensors((await Body?.transformToByteArray()) ?? new Uint8Array());
  const probabilities = tensors.get('probabilities');
  if (probabilities === undefined) throw new Error(`${Key} has no probabilities`);
  const [row] = toNestedArray(probabilities) as number[][];
  return String(row.indexOf(Math.max(...row)));
}

async function main(stateMachineArn: string | undefined): Promise<void> {
  const sfn = new SFNClient();
  const running = new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' });
  while ((await sfn.send(running)).executions?.length !== 0) await pause(500);
  const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn }));
  for (const { executionArn } of executions.reverse()) {
    const ended = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    const { inputs } = JSON.parse(ended.input ?? '') as ExecutionInput;
    console.log(`${inputs.s3 ?? ''}  ${await resultOf(ended)}`);
  }
}

void main(process.env.STATE_MACHINE_ARN);
