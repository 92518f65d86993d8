/** Before the model: makes a pipeline's request of tensors, in a `preprocess` function or another function of the user. */
import type { ExecutionInput } from '../../contract/execution';
import { InferenceError } from '../errors';
import { inlineMode } from '../options';
import { prepareRequest } from '../request';
import { failingIn } from './handler-failure';
import { objectsOf } from './handler-objects';
import {
  BUCKET_VARIABLE,
  bucketName,
  type HandlerContext,
  type WriteRequestOptions,
} from './handler-options';
import { ownTensors, type HandlerTensors } from './own-tensors';

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
 * something else, the run fails with the error's name, and `parseFailureCause` finds the step and the message.
 * @param toTensors receives the execution's input, which nobody has checked
 */
export function preprocessHandler(
  toTensors: (input: unknown, context: HandlerContext) => HandlerTensors | Promise<HandlerTensors>,
  options: WriteRequestOptions = {},
): (input: unknown, context: HandlerContext) => Promise<ExecutionInput> {
  return (input, context) =>
    failingIn('preprocess', async () => {
      return await writeRequest(await toTensors(input, context), options);
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
  const { inputs = 'auto', results } = options;
  const { text, upload } = prepareRequest(ownTensors(tensors), inlineMode(results), inputs);
  if (upload) {
    const bucket = bucketName(options) ?? missingBucket(upload.bytes.byteLength);
    await objectsOf(options).put({ bucket, key: upload.key }, upload.bytes, new AbortController().signal);
  }
  return JSON.parse(text) as ExecutionInput;
}

function missingBucket(bytes: number): never {
  throw new InferenceError(
    'InvalidInput',
    `a request of ${bytes} bytes needs the pipeline's bucket, got no name of it: set the environment variable ${BUCKET_VARIABLE} to ` +
      'pipeline.bucket.bucketName and call pipeline.grantWriteInputs(fn)',
    { expected: "the name of the pipeline's bucket", got: 'none' },
  );
}
