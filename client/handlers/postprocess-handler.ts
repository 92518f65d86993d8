/** After the model: reads the results in a pipeline's output, in a `postprocess` function or another function of the user. */
import { MAX_CALL_BYTES } from '../../contract/direct-call';
import type { ExecutionOutput } from '../../contract/execution';
import { strictJson } from '../strict-json';
import { kindOf } from '../../lambda/json-values';
import { MAX_EXECUTION_DATA_BYTES } from '../description/pipeline-description';
import { InferenceError } from '../errors';
import {
  type CheckedOutput,
  checkOutput,
  readResultTensors,
  readTensors,
  requireBucket,
  tensorsOfEntry,
} from '../read-results';
import type { RawTensor } from '../../lambda/tensors/tensor';
import type { TypedTensor } from '../tensors/tensor-forms';
import { typedTensors } from '../tensors/from-raw';
import { failingIn, objectsOf } from './handler-run';
import { handledPack, isPack } from './pack';
import { BUCKET_VARIABLE, bucketName, type HandlerContext, type ReadOutputsOptions } from './handler-options';

/** A run whose results a function turns into the execution's output. */
export interface FinishedRun {
  /** The pipeline's output: `run`, `timings`, `deploymentDigest` and where the results are. */
  readonly output: ExecutionOutput;
  /** The call of the function. */
  readonly context: HandlerContext;
}

/**
 * Returns the handler of a Lambda function for `postprocess`: it turns the results into the execution's output.
 *
 * ```ts
 * export const handler = postprocessHandler(({ y }) => ({ best: Array.from(y.data as Float32Array) }));
 * ```
 *
 * The function needs `pipeline.grantReadOutputs(fn)`. If it throws or returns no JSON, the run fails with the error's name, and
 * `parseFailureCause` finds the step and the message. In a batch, the handler calls `fromOutputs` for each item of a run, and a failure concerns
 * that item alone.
 * @param fromOutputs receives the results by name, and returns JSON of at most 256 KiB
 */
export function postprocessHandler(
  fromOutputs: (outputs: Record<string, TypedTensor>, run: FinishedRun) => unknown,
  options: ReadOutputsOptions = {},
): (output: ExecutionOutput, context: HandlerContext) => Promise<unknown> {
  return (output, context) =>
    failingIn('postprocess', async () => {
      const read = packReader(options);
      const handle = async (own: unknown): Promise<unknown> => {
        const finished = own as ExecutionOutput;
        const value = await fromOutputs(await read(finished), { output: finished, context });
        return checkedJson(
          value,
          isPack(output) || context.maxBytes === undefined ? undefined : MAX_CALL_BYTES,
        );
      };
      if (!isPack(output)) return await handle(output);
      return await handledPack(output, { step: 'postprocess', handle, context });
    });
}

/** Reads an object once for all outputs in it that follow each other. */
function packReader(options: ReadOutputsOptions) {
  let kept: { readonly key: string; readonly tensors: Promise<ReadonlyMap<string, RawTensor>> } | undefined;
  return async (output: ExecutionOutput): Promise<Record<string, TypedTensor>> => {
    const checked = checkedOutput(output, options);
    const { object } = checked.results;
    const entry = checked.results.tensors === undefined ? checked.results.entry : undefined;
    const signal = new AbortController().signal;
    if (entry === undefined || object === undefined)
      return typedTensors(await readResultTensors(checked, objectsOf(options), signal));
    if (kept?.key !== object.key)
      kept = { key: object.key, tensors: readTensors(object, objectsOf(options), signal) };
    const whole = await kept.tensors.catch((error: unknown) => {
      kept = undefined;
      throw error;
    });
    return typedTensors(tensorsOfEntry(whole, entry));
  };
}

function checkedJson(value: unknown, most = MAX_EXECUTION_DATA_BYTES): unknown {
  const text = strictJson(value, (got, advice) => invalid('JSON', got, advice));
  if (text === undefined) throw invalid('JSON', kindOf(value), 'return null if there is nothing to return');
  const size = Buffer.byteLength(text);
  if (size <= most) return value;
  throw invalid(
    `at most ${most} bytes as JSON`,
    String(size),
    'put large values into S3 and return their key',
  );
}

function invalid(expected: string, got: string, advice: string): InferenceError {
  const message = `the function must return ${expected}, got ${got}: ${advice}`;
  return new InferenceError('InvalidOutput', message, { expected, got });
}

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
  return await packReader(options)(output);
}

function checkedOutput(output: unknown, options: ReadOutputsOptions): CheckedOutput {
  const checked = checkOutput(JSON.stringify(output ?? null));
  const bucket = bucketName(options);
  // Without one, the state machine of the pipeline states it. What the function may read, its role decides.
  if (bucket !== undefined) requireBucket(checked, bucket, OTHER_BUCKET);
  return checked;
}
