/** Deploys a pipeline with a batch into the local cloud, and reads the batch's table and results. */
import { setTimeout } from 'node:timers/promises';
import { DescribeExecutionCommand, RedriveExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { Stack } from 'aws-cdk-lib';
import type { BatchOutput, BatchRow } from '../../contract/batch';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import {
  BatchItems,
  SlicedInferenceBatch,
  type SlicedInferencePipeline,
  Slicing,
  type SlicedInferenceBatchProps,
  type SlicedInferencePipelineProps,
} from '../../lib';
import type { ExecutionResult, Json, LocalCloud, LocalCloudOptions } from '../../local';
import { rows, start, synthesize } from './deployed-pipeline';
import { mlp, saveModel } from './model-builder';
import { expectSameBits, runWhole, type Tensors } from './run-slices';

/** Its input is `x`, float32 of [batch, 16]. */
export const MODEL = saveModel(mlp(4));

export const PREFIX = 'inputs/docs/';

interface BatchExample extends Partial<Omit<SlicedInferenceBatchProps, 'pipeline' | 'items'>> {
  readonly model?: string;
  readonly items?: (pipeline: SlicedInferencePipeline) => BatchItems;
  readonly pipeline?: (stack: Stack) => Partial<SlicedInferencePipelineProps>;
}

export function synthesizeBatch({
  model = MODEL,
  pipeline = () => ({}),
  items = () => BatchItems.objects(PREFIX),
  ...batch
}: BatchExample = {}): string {
  const ofPipeline = (stack: Stack) => ({
    slicing: Slicing.count(2),
    dimensions: { batch: 1 },
    ...pipeline(stack),
  });
  return synthesize(model, ofPipeline, {
    use: (stack, own) => {
      const props = { items: items(own), itemsPerRun: 4, maxConcurrency: 4, ...batch };
      new SlicedInferenceBatch(stack, 'Nightly', { pipeline: own, ...props });
    },
  });
}

export function startBatch(assembly: string, options: LocalCloudOptions = {}): Promise<LocalCloud> {
  return start(assembly, { pipeline: 'Nightly', ...options });
}

export function deployBatch(
  example: BatchExample = {},
  options: LocalCloudOptions = {},
): Promise<LocalCloud> {
  return startBatch(synthesizeBatch(example), options);
}

/** Puts a request for each of the names below the prefix. Returns the inputs by key. */
export async function putRequests(
  cloud: LocalCloud,
  names: readonly string[],
): Promise<Map<string, Tensors>> {
  const requests = names.map((name, index) => [`${PREFIX}${name}`, rows(1, index + 1)] as const);
  for (const [key, inputs] of requests) await cloud.putObject(key, encodeSafetensors(inputs));
  return new Map(requests);
}

export function outputOf(result: ExecutionResult): BatchOutput {
  if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
  return result.output as unknown as BatchOutput;
}

export async function tableOf(cloud: LocalCloud, { table }: Pick<BatchOutput, 'table'>): Promise<BatchRow[]> {
  const text = (await cloud.getObject(table.key)).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as BatchRow);
}

/** Runs the batch, and returns its account and its rows. */
export async function runBatch(
  cloud: LocalCloud,
  input = {},
): Promise<{ output: BatchOutput; rows: BatchRow[] }> {
  const output = outputOf(await cloud.execute(input));
  return { output, rows: await tableOf(cloud, output) };
}

/** Fails unless the result of a row has the bits of ONNX Runtime on the whole model. */
export async function expectResult(
  cloud: LocalCloud,
  { result }: BatchRow,
  inputs: Tensors,
  model = MODEL,
): Promise<void> {
  const tensors = decodeSafetensors(await cloud.getObject(result ?? ''));
  expectSameBits(tensors, await runWhole(model, inputs));
}

/** Redrives an execution that has failed, and waits for its end. */
export async function redriven(
  cloud: LocalCloud,
  { executionArn }: ExecutionResult,
): Promise<ExecutionResult> {
  const client = new SFNClient(cloud.stepFunctions);
  try {
    await client.send(new RedriveExecutionCommand({ executionArn }));
    for (;;) {
      const {
        status,
        output = 'null',
        error = '',
        cause = '',
      } = await client.send(new DescribeExecutionCommand({ executionArn }));
      if (status === 'SUCCEEDED') return { status, executionArn, output: JSON.parse(output) as Json };
      if (status === 'FAILED' || status === 'ABORTED') return { status, executionArn, error, cause };
      await setTimeout(50);
    }
  } finally {
    client.destroy();
  }
}
