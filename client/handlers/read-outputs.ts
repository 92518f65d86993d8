/** Reads the results in a pipeline's output, in a function of the user. */
import type { ExecutionOutput } from '../../contract/execution';
import { checkOutput, requireBucket } from '../results/check-output';
import { readResultTensors } from '../results/read-results';
import type { TypedTensor } from '../tensors/tensor-forms';
import { typedTensors } from '../tensors/to-typed';
import { objectsOf } from './handler-objects';
import { BUCKET_VARIABLE, bucketName, type ReadOutputsOptions } from './handler-options';

const OTHER_BUCKET = `set ${BUCKET_VARIABLE} or the option bucket to pipeline.bucket.bucketName of the pipeline that ran`;

/**
 * Returns the results of a run, which are inside the pipeline's output or in S3. The function needs `pipeline.grantReadOutputs(fn)`.
 * @param output the pipeline's output, which a `postprocess` function or the state after a fragment receives
 * @returns a record without prototype
 * @throws InferenceError `InvalidOutput` if the value is no output of a pipeline
 */
export async function readOutputs(
  output: ExecutionOutput,
  options: ReadOutputsOptions = {},
): Promise<Record<string, TypedTensor>> {
  const stated: unknown = output;
  const checked = checkOutput(JSON.stringify(stated ?? null));
  const bucket = bucketName(options);
  // Without one, the state machine of the pipeline states it. What the function may read, its role decides.
  if (bucket !== undefined) requireBucket(checked, bucket, OTHER_BUCKET);
  return typedTensors(await readResultTensors(checked, objectsOf(options), new AbortController().signal));
}
