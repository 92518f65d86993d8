/** Calls of a deployed stack, each of which compares the results with those of ONNX Runtime on the whole model. */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import {
  decodeInlineTensor,
  encodeInlineTensor,
  encodeTensors,
  type BatchRow,
  type ExecutionOutput,
  type RawTensor,
  type ResultsPlace,
  type TypedTensor,
} from '../../client';
import { toTyped, typedTensors } from '../../client/tensors/from-raw';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';
import type { Deployed } from './life';

export type Call = (deployed: Deployed) => Promise<void>;

/** An input of the models, others with another seed. */
const inputOf = (seed = 1): RawTensor =>
  float32(
    [2, 16],
    Array.from({ length: 32 }, (_, index) => Math.cos(index + seed)),
  );

async function resultOf(model: string, x: RawTensor): Promise<TypedTensor> {
  const outputs = await runWhole(model, new Map([['x', x]]));
  return typedTensors(outputs).y;
}

async function expectRight(got: TypedTensor, models: readonly string[]): Promise<void> {
  const right = await Promise.all(models.map((model) => resultOf(model, inputOf())));
  expect(right).toContainEqual(got);
}

async function infer({ client, outputs, models }: Deployed, results?: ResultsPlace) {
  const result = await client(outputs.PipelineArn).infer({ x: inputOf() }, { results });
  await expectRight(result.outputs.y, models);
  return result;
}

export const infers =
  (results?: ResultsPlace): Call =>
  async (deployed) => {
    await infer(deployed, results);
  };

/** Sends JSON to the state machine whose ARN has this name among the stack's outputs. */
export function invokes(
  name: 'PipelineArn' | 'OwnArn',
  requestOf: (request: object) => object = (request) => request,
  outputOf: (output: unknown) => unknown = (output) => output,
): Call {
  return async ({ client, outputs, models }) => {
    const request = { version: 1, inputs: { tensors: { x: encodeInlineTensor(inputOf()) } } };
    const { output } = await client(outputs[name]).invoke(requestOf(request));
    const { tensors = {} } = (outputOf(output) as ExecutionOutput).outputs;
    await expectRight(toTyped(decodeInlineTensor('y', tensors.y)), models);
  };
}

/** A run of consolidation loads the function of the whole model for later runs, of which the first may come too early. */
const ATTEMPTS = 40;

export const isConsolidated: Call = async (deployed) => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++)
    if ((await infer(deployed)).servedBy === 'whole') return;
  throw new Error(`one of ${ATTEMPTS} runs must be served by the whole model, got none`);
};

const ITEMS = 200;
/** In four children. */
const BAD_ITEMS = [3, 50, 101, 199];

/** Some of the batch's items are no requests at first. The second execution runs only these. */
export function runsBatch(prefix: string): Call {
  return async ({ client, cloud, outputs, models: [model] }) => {
    const isBad = (at: number): boolean => BAD_ITEMS.includes(at);
    const keys = Array.from({ length: ITEMS }, (_, at) => `${prefix}${String(at).padStart(3, '0')}`);
    const put = (at: number, Body: Uint8Array) =>
      cloud.s3.send(new PutObjectCommand({ Bucket: outputs.BucketName, Key: keys[at], Body }));
    const request = (at: number): Uint8Array => encodeTensors(new Map([['x', inputOf(at)]]));
    const run = async (bad: BatchRow['status'], others: BatchRow['status']): Promise<void> => {
      const batch = await client(outputs.BatchArn).batch();
      const statuses: string[] = [];
      for await (const row of batch.rows()) {
        statuses.push(`${row.item} ${row.status}`);
        if (row.status !== 'done') continue;
        expect((await row.read()).outputs?.y).toEqual(await resultOf(model, inputOf(row.index)));
      }
      expect(statuses).toEqual(keys.map((key, at) => `${key} ${isBad(at) ? bad : others}`));
      const counts = { [bad]: BAD_ITEMS.length, [others]: ITEMS - BAD_ITEMS.length };
      expect((await batch.result()).items).toEqual({
        ...{ total: ITEMS, done: 0, skipped: 0, failed: 0, ...counts },
      });
    };
    for (const at of keys.keys()) await put(at, isBad(at) ? Buffer.from('no request') : request(at));
    await run('failed', 'done');
    for (const at of BAD_ITEMS) await put(at, request(at));
    await run('done', 'skipped');
  };
}
