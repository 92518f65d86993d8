/** Makes a pipeline's request of tensors, in a function of the user. */
import type { ExecutionInput } from '../../contract/execution';
import { InferenceError } from '../errors';
import { inlineMode } from '../options';
import { prepareRequest } from '../request';
import { objectsOf } from './handler-objects';
import { BUCKET_VARIABLE, bucketName, type WriteRequestOptions } from './handler-options';
import { ownTensors, type HandlerTensors } from './own-tensors';

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
