/**
 * Calls pipelines by `SlicedInferenceClient`: a request in each line of the standard input, and an answer for each. Only environment
 * variables say where the pipelines are, as for an application.
 */
import * as fs from 'node:fs';
import { createInterface } from 'node:readline';
import {
  decodeTensors,
  encodeTensors,
  SlicedInferenceClient,
  tensorFrom,
  type BatchItemResult,
  type BatchRow,
  type ResultsPlace,
  type TypedTensor,
} from '../../client';

export interface CallRequest {
  readonly stateMachineArn: string;
  readonly json?: unknown;
  readonly inputs?: string;
  readonly outputs?: string;
  readonly results?: ResultsPlace;
  readonly isBatch?: true;
}

export interface CallAnswer {
  readonly error?: string;
  readonly output?: unknown;
  readonly servedBy?: string | null;
}

const clients = new Map<string, SlicedInferenceClient>();

async function answerTo(request: CallRequest): Promise<CallAnswer> {
  const { stateMachineArn, json, inputs = '', outputs = '', results = 'auto', isBatch } = request;
  const client = clients.get(stateMachineArn) ?? new SlicedInferenceClient({ stateMachineArn });
  clients.set(stateMachineArn, client);
  if (json !== undefined) return { output: (await client.invoke(json)).output };
  if (isBatch) return batchAnswer(client, outputs);
  const tensors = Object.fromEntries(decodeTensors(fs.readFileSync(inputs)));
  const result = await client.infer(tensors, { results });
  write(outputs, result.outputs);
  return { servedBy: result.servedBy ?? null };
}

/** Runs a batch and writes all results, with the index of the item before the name of each tensor. */
async function batchAnswer(client: SlicedInferenceClient, file: string): Promise<CallAnswer> {
  const batch = await client.batch();
  const rows: BatchRow[] = [];
  const results: Record<string, TypedTensor> = {};
  for await (const row of batch.rows()) {
    rows.push(row);
    const { outputs = {} } = row.status === 'done' ? await row.read() : {};
    for (const [name, tensor] of Object.entries(outputs)) results[`${row.index}/${name}`] = tensor;
  }
  write(file, results);
  return { output: { rows, items: (await batch.result()).items } };
}

function write(file: string, outputs: NonNullable<BatchItemResult['outputs']>): void {
  const tensors = Object.entries(outputs).map(([name, { dtype, shape, data }]) => {
    return [name, tensorFrom(dtype as 'float32', shape, data as Float32Array)] as const;
  });
  fs.writeFileSync(file, encodeTensors(new Map(tensors)));
}

async function main(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await answerTo(JSON.parse(line) as CallRequest).catch((error: unknown): CallAnswer => ({
      error: String(error),
    }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

void main();
