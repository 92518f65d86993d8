/** What the comment of a pipeline's state machine says to callers. */
import type { TensorSpec } from './tensors';
import type { CONTRACT_VERSION } from './version';

/** The key of the signature in the comment's JSON. */
export const SIGNATURE_KEY = 'slicedInference';

/** The tensors that a pipeline takes and returns, and what identifies its model. */
export interface PipelineSignature {
  /** The version of the contract: 1. */
  readonly version: typeof CONTRACT_VERSION;
  /** Identifies the model, code and settings; see `SliceEvent.deploymentDigest`. */
  readonly deploymentDigest: string;
  /** Threads of each function. */
  readonly threads: number;
  /** Name of the bucket of requests and results. */
  readonly bucket: string;
  /** The tensors that a request must have. With a preprocess function, those that it must produce. */
  readonly inputs: readonly TensorSpec[];
  /** The tensors of the result, in the model's order. With a postprocess function, those that it receives. */
  readonly outputs: readonly TensorSpec[];
  /** Whether a preprocess function turns the execution's input, in any form, into a request. */
  readonly preprocess?: true;
  /** Whether a postprocess function turns the results into the execution's output. */
  readonly postprocess?: true;
}
