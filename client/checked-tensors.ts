/** Checks the inputs of a call against the description of its pipeline. */
import type { RawTensor } from '../lambda/tensors/tensor';
import { ownFunctions } from './description/own-functions';
import type { PipelineDescription } from './description/pipeline-description';
import { InferenceError } from './errors';
import type { TensorInputs } from './tensors/tensor-forms';
import { rawTensors } from './tensors/to-raw';

export interface CheckedTensors {
  readonly tensors: ReadonlyMap<string, RawTensor>;
  readonly description: PipelineDescription;
}

/** @throws InferenceError `InvalidInput` for inputs that do not fit, or for a pipeline that takes or returns something else */
export function checkedTensors(description: PipelineDescription, inputs: TensorInputs): CheckedTensors {
  const functions = ownFunctions(description.signature);
  if (functions !== undefined) {
    throw new InferenceError(
      'InvalidInput',
      `infer expects a pipeline that takes and returns tensors, got one with ${functions}: use invoke`,
    );
  }
  return { tensors: rawTensors(description.signature.inputs, inputs), description };
}
