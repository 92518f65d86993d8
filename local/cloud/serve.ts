/** A pipeline for a user's own tests: it is called as the client calls a deployed one. */
import { InferenceError } from '../../client/errors';
import { parseFailureCause } from '../../client/failure-cause';
import type { InferenceResult } from '../../client/result';
import { typedTensors } from '../../client/tensors/from-raw';
import type { TensorInputs } from '../../client/tensors/tensor-forms';
import { rawTensors } from '../../client/tensors/to-raw';
import type { TensorSpec } from '../../contract/tensors';
import { LocalCloud } from './cloud';
import { infer } from './infer';
import type { LocalCloudOptions } from './options';

/** Where code takes a `Pick<SlicedInferenceClient, 'infer'>`, it takes this too. */
export interface ServedPipeline {
  readonly cloud: LocalCloud;
  /**
   * Runs the pipeline on tensors, in the forms that the client takes.
   * @throws InferenceError if the inputs do not fit, or if the execution fails
   */
  infer(inputs: TensorInputs): Promise<Pick<InferenceResult, 'outputs' | 'timings'>>;
  close(): Promise<void>;
}

/**
 * Serves a synthesized pipeline in this process, for tests. Close it after them.
 *
 * @param assembly the folder that `cdk synth` or `app.synth().directory` names
 * @throws LocalCloudError when the assembly needs something that the local cloud does not support
 */
export async function serve(assembly: string, options: LocalCloudOptions = {}): Promise<ServedPipeline> {
  const cloud = await LocalCloud.start(assembly, options);
  // The construct has written it.
  const specs = cloud.pipeline.signature.inputs as unknown as readonly TensorSpec[];
  return {
    cloud,
    infer: async (inputs) => {
      const inference = await infer(cloud, rawTensors(specs, inputs));
      if (inference.status === 'FAILED') {
        const { message, ...details } = parseFailureCause(inference.cause);
        throw new InferenceError(inference.error, message, details);
      }
      return { outputs: typedTensors(inference.outputs), timings: inference.execution.timings };
    },
    close: () => cloud.close(),
  };
}
