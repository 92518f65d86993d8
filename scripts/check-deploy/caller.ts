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
  type ResultsPlace,
} from '../../client';

export interface CallRequest {
  readonly stateMachineArn: string;
  readonly json?: unknown;
  readonly inputs?: string;
  readonly outputs?: string;
  readonly results?: ResultsPlace;
}

export interface CallAnswer {
  readonly error?: string;
  readonly output?: unknown;
  readonly servedBy?: string | null;
}

const clients = new Map<string, SlicedInferenceClient>();

async function answerTo(request: CallRequest): Promise<CallAnswer> {
  const { stateMachineArn, json, inputs = '', outputs = '', results = 'auto' } = request;
  const client = clients.get(stateMachineArn) ?? new SlicedInferenceClient({ stateMachineArn });
  clients.set(stateMachineArn, client);
  if (json !== undefined) return { output: (await client.invoke(json)).output };
  const tensors = Object.fromEntries(decodeTensors(fs.readFileSync(inputs)));
  const result = await client.infer(tensors, { results });
  const outputTensors = Object.entries(result.outputs).map(([name, { dtype, shape, data }]) => {
    return [name, tensorFrom(dtype as 'float32', shape, data as Float32Array)] as const;
  });
  fs.writeFileSync(outputs, encodeTensors(new Map(outputTensors)));
  return { servedBy: result.servedBy ?? null };
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
