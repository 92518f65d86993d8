/** Reads the results in a pipeline's output, in a function of the user. */
import type { ExecutionOutput } from '../../contract/execution';
import { isRecord } from '../json-record';
import { checkOutput } from '../results/check-output';
import { readResultTensors } from '../results/read-results';
import type { TypedTensor } from '../tensors/tensor-forms';
import { typedTensors } from '../tensors/to-typed';
import { bucketName, objectsOf, type ReadOutputsOptions } from './handler-options';

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
  const bucket = bucketName(options) ?? statedBucket(output);
  const checked = checkOutput(JSON.stringify(output ?? null), bucket);
  return typedTensors(await readResultTensors(checked, objectsOf(options), new AbortController().signal));
}

/** The state machine of the pipeline states the bucket. What the function may read, its role decides. */
function statedBucket(output: unknown): string {
  const outputs = isRecord(output) ? output.outputs : undefined;
  const object = isRecord(outputs) ? outputs.s3 : undefined;
  const bucket = isRecord(object) ? object.bucket : undefined;
  return typeof bucket === 'string' ? bucket : '';
}
