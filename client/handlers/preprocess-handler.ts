/** Before the model: makes a pipeline's request of tensors, in a `preprocess` function or another function of the user. */
import type { ExecutionInput } from '../../contract/execution';
import { InferenceError, invalidTensor } from '../errors';
import { inlineMode } from '../options';
import { prepareRequest } from '../request';
import { failingIn, objectsOf } from './handler-run';
import { handledPack, isPack, PACKED_REQUEST_BYTES } from './pack';
import {
  BUCKET_VARIABLE,
  bucketName,
  type HandlerContext,
  type WriteRequestOptions,
} from './handler-options';
import type { TensorDataType, TensorSpec } from '../../contract/tensors';
import { kindOf, quotedName } from '../../lambda/json-values';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { impliedType } from '../tensors/array-kinds';
import type { ArrayTensor } from '../tensors/tensor-forms';
import { rawTensors } from '../tensors/to-raw';

/**
 * Returns the handler of a Lambda function for `preprocess`: it turns the execution's input into the model's tensors.
 *
 * ```ts
 * export const handler = preprocessHandler((input) => {
 *   const { values } = input as { values: number[] };
 *   return { x: { shape: [1, values.length], data: Float32Array.from(values) } };
 * });
 * ```
 *
 * Tensors that do not fit into the request go into an object below `inputs/`; see `writeRequest`. If the function throws or returns
 * something else, the run fails with the error's name, and `parseFailureCause` finds the step and the message. In a batch, the handler
 * calls `toTensors` for each item of a run, and a failure concerns that item alone.
 * @param toTensors receives the execution's input, which nobody has checked
 */
export function preprocessHandler(
  toTensors: (input: unknown, context: HandlerContext) => HandlerTensors | Promise<HandlerTensors>,
  options: WriteRequestOptions = {},
): (input: unknown, context: HandlerContext) => Promise<ExecutionInput> {
  return (input, context) =>
    failingIn('preprocess', async () => {
      if (!isPack(input))
        return await requestWith(await toTensors(input, context), options, context.maxBytes);
      const most = bucketName(options) === undefined ? undefined : PACKED_REQUEST_BYTES;
      const handle = async (item: unknown) => requestWith(await toTensors(item, context), options, most);
      const answers = await handledPack(input, { step: 'preprocess', handle, context });
      return answers as unknown as ExecutionInput;
    });
}

/**
 * Returns a pipeline's request with these tensors: inside of it if they fit, otherwise in an object below `inputs/` of the pipeline's
 * bucket, which it writes. The function needs `pipeline.grantWriteInputs(fn)` and the environment variable `SLICED_INFERENCE_BUCKET`.
 * @param tensors the model's inputs by name
 * @throws InferenceError `InvalidInput` for a value that is no tensor, or if there is no bucket for large tensors
 */
export async function writeRequest(
  tensors: HandlerTensors,
  options: WriteRequestOptions = {},
): Promise<ExecutionInput> {
  return await requestWith(tensors, options);
}

/** @param most bytes of a request with its tensors */
async function requestWith(
  tensors: HandlerTensors,
  options: WriteRequestOptions,
  most?: number,
): Promise<ExecutionInput> {
  const { inputs = 'auto', results } = options;
  const { request, upload } = prepareRequest(ownTensors(tensors), inlineMode(results), inputs, most);
  if (upload) {
    const bucket = bucketName(options) ?? missingBucket(upload.bytes.byteLength);
    await objectsOf(options).put({ bucket, key: upload.key }, upload.bytes, new AbortController().signal);
  }
  return request;
}

function missingBucket(bytes: number): never {
  throw new InferenceError(
    'InvalidInput',
    `a request of ${bytes} bytes needs the pipeline's bucket, got no name of it: set the environment variable ${BUCKET_VARIABLE} to ` +
      'pipeline.bucket.bucketName and call pipeline.grantWriteInputs(fn)',
    { expected: "the name of the pipeline's bucket", got: 'none' },
  );
}

/** A tensor with a typed array, whose kind implies the element type unless `dtype` is set, or a tensor with raw bytes. */
export type HandlerTensor = RawTensor | ArrayTensor;

/** The tensors of a request by name. */
export type HandlerTensors = Readonly<Record<string, HandlerTensor>> | ReadonlyMap<string, HandlerTensor>;

function ownTensors(returned: unknown): ReadonlyMap<string, RawTensor> {
  if (
    typeof returned !== 'object' ||
    returned === null ||
    Array.isArray(returned) ||
    ArrayBuffer.isView(returned)
  ) {
    throw new InferenceError(
      'InvalidInput',
      `the function must return the model's inputs by name, got ${kindOf(returned)}: return { x: { shape, data } }`,
      { expected: "the model's inputs by name", got: kindOf(returned) },
    );
  }
  const given = returned instanceof Map ? [...(returned as Map<string, unknown>)] : Object.entries(returned);
  const tensors = new Map(given as [string, HandlerTensor][]);
  return rawTensors(
    [...tensors].map(([name, tensor]) => impliedSpec(name, tensor)),
    tensors,
  );
}

function impliedSpec(name: string, tensor: unknown): TensorSpec {
  const { dtype, data } = isObject(tensor) ? tensor : {};
  const type = dtype ?? (ArrayBuffer.isView(data) ? impliedType(data) : impliedOfList(data));
  // A text that is no type is refused with the tensor itself.
  if (typeof type === 'string') return { name, dtype: type as TensorDataType, shape: null };
  throw invalidTensor(name, `input ${quotedName(name)}`, {
    expected: 'a tensor { shape, data } with a typed array or a list of strings, or one with a dtype',
    got: isObject(tensor) ? `data that is ${kindOf(data)}` : kindOf(tensor),
    advice: 'this function does not know the types of the model',
  });
}

function impliedOfList(data: unknown): TensorDataType | undefined {
  return Array.isArray(data) && data.every((item) => typeof item === 'string') ? 'string' : undefined;
}

function isObject(value: unknown): value is Readonly<Partial<Record<'dtype' | 'data', unknown>>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
