/**
 * Waits for the runs of some objects, and prints the result of each run.
 *
 *     npx tsx results.ts seven small
 */
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

/** A Standard run with cold functions takes seconds. */
const PATIENCE_MS = 300_000;

const stateMachineArn = process.env.STATE_MACHINE_ARN;
const s3 = new S3Client();
const sfn = new SFNClient();

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

function keyOf({ input = '' }: Ended): string {
  return (JSON.parse(input) as ExecutionInput).inputs.s3 ?? '';
}

/**
 * Waits until each object has a run that has ended. A run starts some time after its object has arrived, so there may be none yet.
 */
async function endedRuns(keys: readonly string[]): Promise<Ended[]> {
  const known = new Map<string, Ended>();
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn }));
    for (const { executionArn = '', status } of executions) {
      if (status === 'RUNNING' || known.has(executionArn)) continue;
      known.set(executionArn, await sfn.send(new DescribeExecutionCommand({ executionArn })));
    }
    const runs = [...known.values()];
    const missing = keys.filter((key) => !runs.some((run) => keyOf(run) === key));
    if (missing.length === 0) return keys.flatMap((key) => runs.filter((run) => keyOf(run) === key));
    if (Date.now() > deadline)
      throw new Error(`each object must have a run that ends, got none of ${missing.join(', ')}`);
    await pause(500);
  }
}

async function main(names: readonly string[]): Promise<void> {
  if (stateMachineArn === undefined) throw new Error('STATE_MACHINE_ARN is not set: run `. ./cloud.env`');
  const keys = names.map((name) => `inputs/arrivals/${name}.safetensors`);
  for (const run of await endedRuns(keys)) console.log(`${keyOf(run)}  ${await resultOf(run)}`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(String(error));
  process.exitCode = 1;
});
