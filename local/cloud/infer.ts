/** Runs a pipeline on tensors: writes the inputs to S3, executes the state machine and reads the outputs. */
import { randomUUID } from 'node:crypto';
import { ownFunctions } from '../../client/description/pipeline-description';
import type { ExecutionInput, ExecutionOutput } from '../../contract/execution';
import { INPUTS_PREFIX } from '../../contract/keys';
import { CONTRACT_VERSION } from '../../contract/version';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { LocalCloudError } from '../local-cloud-error';
import type { JsonObject } from '../json';
import type { LocalCloud } from './cloud';

export type Inference = SucceededInference | FailedInference;

export interface SucceededInference {
  readonly status: 'SUCCEEDED';
  readonly outputs: ReadonlyMap<string, RawTensor>;
  readonly execution: ExecutionOutput;
}

export interface FailedInference {
  readonly status: 'FAILED';
  /** Name of the error, such as `InvalidInput`. */
  readonly error: string;
  /** JSON of a `FailureCause` if a slice failed; otherwise the text of the service that failed. */
  readonly cause: string;
}

/**
 * Writes the tensors below `inputs/`, runs an execution and reads its outputs. A failed execution is returned, not thrown.
 * @throws LocalCloudError for a pipeline with a preprocess or postprocess function, which takes or returns something else
 */
export async function infer(cloud: LocalCloud, inputs: ReadonlyMap<string, RawTensor>): Promise<Inference> {
  const functions = ownFunctions(cloud.pipeline.signature);
  if (functions !== undefined) {
    throw new LocalCloudError(
      `infer expects a pipeline that takes and returns tensors, got one with ${functions}: use cloud.execute`,
    );
  }
  const key = `${INPUTS_PREFIX}${randomUUID()}.safetensors`;
  await cloud.putObject(key, encodeSafetensors(inputs));
  const request: ExecutionInput = {
    version: CONTRACT_VERSION,
    inputs: { s3: key },
    output: { inline: 'never' },
  };
  const result = await cloud.execute(request as unknown as JsonObject);
  if (result.status !== 'SUCCEEDED') return { status: 'FAILED', error: result.error, cause: result.cause };
  const execution = result.output as unknown as ExecutionOutput;
  const { s3 } = execution.outputs;
  if (s3 === undefined) throw new Error('the output has no object of results, which the request asked for');
  const outputs = decodeSafetensors(await cloud.getObject(s3.key));
  return { status: 'SUCCEEDED', outputs, execution };
}
