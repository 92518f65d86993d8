/** Pipelines with batches in the local cloud, and the batches' tables and results. */
import { setTimeout } from 'node:timers/promises';
import { SFN } from '@aws-sdk/client-sfn';
import type { Stack } from 'aws-cdk-lib';
import type { BatchOutput, BatchRow } from '../../contract/batch';
import { tensorsOfEntry } from '../../client/read-results';
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
import { rows, start, succeeded, synthesize } from './deployed-pipeline';
import { mlp, saveModel } from './model-builder';
import { expectSameBits, runWhole, type Tensors } from './run-slices';

/** Its input is `x`, float32 of [batch, 16]. */
export const MODEL = saveModel(mlp(4));

export const PREFIX = 'inputs/docs/';

interface BatchExample extends Partial<Omit<SlicedInferenceBatchProps, 'pipeline' | 'items'>> {
  /** By default objects below `PREFIX`. */
  readonly items?: (pipeline: SlicedInferencePipeline) => BatchItems;
  readonly pipeline?: (stack: Stack) => Partial<SlicedInferencePipelineProps>;
  /** By default `MODEL`. */
  readonly model?: string;
}

export function synthesizeBatch({ pipeline: propsOf, items, model = MODEL, ...sizes }: BatchExample): string {
  const plain = { slicing: Slicing.count(2), dimensions: { batch: 1 } };
  return synthesize(model, (stack) => ({ ...plain, ...propsOf?.(stack) }), {
    use: (stack, pipeline) => {
      const props = { items: items?.(pipeline) ?? BatchItems.objects(PREFIX), maxConcurrency: 4, ...sizes };
      new SlicedInferenceBatch(stack, 'Nightly', { pipeline, ...props });
    },
  });
}

export function startBatch(assembly: string, options: LocalCloudOptions = {}): Promise<LocalCloud> {
  return start(assembly, { pipeline: 'Nightly', ...options });
}

/** Puts a request for each of the names below the prefix. Returns the inputs by key. */
export async function putRequests(
  cloud: Pick<LocalCloud, 'putObject'>,
  names: readonly string[],
  prefix = PREFIX,
): Promise<Map<string, Tensors>> {
  const requests = names.map((name, index) => [`${prefix}${name}`, rows(1, index + 1)] as const);
  for (const [key, inputs] of requests) await cloud.putObject(key, encodeSafetensors(inputs));
  return new Map(requests);
}

export function outputOf(result: ExecutionResult): BatchOutput {
  return succeeded(result) as unknown as BatchOutput;
}

type Objects = Pick<LocalCloud, 'getObject'>;

export async function tableOf(cloud: Objects, { table }: Pick<BatchOutput, 'table'>): Promise<BatchRow[]> {
  const lines = (await cloud.getObject(table.key)).toString('utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as BatchRow);
}

/** The tensors of an item. */
export async function resultOf(cloud: Objects, result: BatchRow['result']): Promise<Tensors> {
  const { key = '', entry = 0 } = result ?? {};
  return tensorsOfEntry(decodeSafetensors(await cloud.getObject(key)), entry);
}

/** Fails unless the result of a row has the bits of ONNX Runtime on the whole model. */
export async function expectResult(
  cloud: Objects,
  { result }: BatchRow,
  inputs: Tensors,
  model = MODEL,
): Promise<void> {
  expectSameBits(await resultOf(cloud, result), await runWhole(model, inputs));
}

/** Runs a batch of several in a stack, by the id of its construct. Returns its account and its rows. */
export async function runBatch(cloud: LocalCloud, batch: string, input = {}) {
  const output = outputOf(await executed(cloud, batch, input));
  return { output, rows: await tableOf(cloud, output) };
}

export function executed(cloud: LocalCloud, batch: string, input = {}): Promise<ExecutionResult> {
  return ended(cloud, async (client) => {
    const { stateMachines = [] } = await client.listStateMachines({});
    const { stateMachineArn } = stateMachines.find(({ name }) => name?.includes(batch)) ?? {};
    const { executionArn = '' } = await client.startExecution({
      stateMachineArn,
      input: JSON.stringify(input),
    });
    return executionArn;
  });
}

export function redriven(cloud: LocalCloud, { executionArn }: ExecutionResult): Promise<ExecutionResult> {
  return ended(cloud, async (client) => {
    await client.redriveExecution({ executionArn });
    return executionArn;
  });
}

async function ended(cloud: LocalCloud, begin: (client: SFN) => Promise<string>): Promise<ExecutionResult> {
  const client = new SFN(cloud.stepFunctions);
  try {
    const executionArn = await begin(client);
    for (;;) {
      const described = await client.describeExecution({ executionArn });
      const { status, output = 'null', error = '', cause = '' } = described;
      if (status === 'SUCCEEDED') return { status, executionArn, output: JSON.parse(output) as Json };
      if (status === 'FAILED' || status === 'ABORTED') return { status, executionArn, error, cause };
      await setTimeout(20);
    }
  } finally {
    client.destroy();
  }
}
