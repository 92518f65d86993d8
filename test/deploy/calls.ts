/** Calls of a deployed stack, each of which compares the results with those of ONNX Runtime on the whole model. */
import {
  decodeInlineTensor,
  encodeInlineTensor,
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

/** The input of the models. */
const x: RawTensor = float32(
  [2, 16],
  Array.from({ length: 32 }, (_, index) => Math.cos(index + 1)),
);

async function expectRight(got: TypedTensor, models: readonly string[]): Promise<void> {
  const right = await Promise.all(models.map((model) => runWhole(model, new Map([['x', x]]))));
  expect(right.map((outputs) => typedTensors(outputs).y)).toContainEqual(got);
}

async function infer({ client, outputs, models }: Deployed, results?: ResultsPlace) {
  const result = await client(outputs.ModelArn).infer({ x }, { results });
  await expectRight(result.outputs.y, models);
  return result;
}

export const infers =
  (results?: ResultsPlace): Call =>
  async (deployed) => {
    await infer(deployed, results);
  };

const request = { version: 1, inputs: { tensors: { x: encodeInlineTensor(x) } } };

/** Sends a request to a model whose functions before and after unwrap it and wrap its result. */
export const invokesWrapped: Call = async ({ client, outputs, models }) => {
  const { output } = await client(outputs.ModelArn).invoke({ request });
  const { tensors = {} } = (output as { readonly result: ExecutionOutput }).result.outputs;
  await expectRight(toTyped(decodeInlineTensor('y', tensors.y)), models);
};

/** Calls the URL of a function whose own code unwraps the request and wraps its result, as a caller and as a stranger. */
export const postsWrapped: Call = async ({ cloud, outputs: { Url, CallerRole, StrangerRole }, models }) => {
  const [status, answer] = await cloud.post(Url, CallerRole, { request });
  expect(status).toBe(200);
  const { tensors = {} } = (answer as { readonly result: ExecutionOutput }).result.outputs;
  await expectRight(toTyped(decodeInlineTensor('y', tensors.y)), models);
  const [refused] = await cloud.post(Url, StrangerRole, { request });
  expect(refused).toBe(403);
};

/** A run of consolidation loads the function of the whole model for later runs, of which the first may come too early. */
const ATTEMPTS = 40;

export const isConsolidated: Call = async (deployed) => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++)
    if ((await infer(deployed)).servedBy === 'whole') return;
  throw new Error(`one of ${ATTEMPTS} runs must be served by the whole model, got none`);
};
