/** What a state machine alone says about its pipeline. */
import type { PipelineSignature } from '../../contract/signature';

/** Limits of calls. Sizes are bytes. */
export interface PipelineLimits {
  /** Largest request as JSON. The client puts larger tensors into S3. */
  readonly requestBytes: number;
  /** Largest results as JSON inside an execution's output. With more than 100 slices it is lower. */
  readonly inlineResultBytes: number;
  /** Largest input of an execution as JSON: of `invoke`. */
  readonly executionInputBytes: number;
  /** How long an execution may last, in seconds; absent if the state machine has no timeout. */
  readonly executionSeconds?: number;
}

/** What calls need to know of any state machine, also of one that has a pipeline as a part. */
export interface MachineDescription {
  readonly type: 'EXPRESS' | 'STANDARD';
  /** How long an execution may last, in seconds; absent if the state machine has no timeout. */
  readonly executionSeconds?: number;
  /** Whether it is that of a pipeline with a preprocess or postprocess function. */
  readonly hasOwnFunctions: boolean;
  /** As the comment states it, unchecked; `undefined` of a state machine that is not that of a pipeline. */
  readonly bucket: unknown;
  /** Likewise. */
  readonly deploymentDigest: unknown;
  /** JSON. */
  readonly definition: string;
}

/** What `describe` returns. */
export interface PipelineDescription {
  /** As the client was given it. */
  readonly stateMachineArn: string;
  /** An Express execution takes at most five minutes, a Standard one at most a year. */
  readonly type: 'EXPRESS' | 'STANDARD';
  /** Name of the bucket of requests and results. */
  readonly bucket: string;
  /** The tensors of requests and results, and what identifies the model. */
  readonly signature: PipelineSignature;
  /** The largest requests and results, and the longest run. */
  readonly limits: PipelineLimits;
}
