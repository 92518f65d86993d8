/** Calls of a function that has the whole model and no state machine: its event is a request, and its answer is an execution's output. */
import type { PipelineSignature } from './signature';
import type { CONTRACT_VERSION } from './version';

/**
 * Most bytes of a call's event and of its answer, as JSON:
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const MAX_CALL_BYTES = 6 * 2 ** 20;

/** What is left for tensors beside the other fields of an event or answer. */
export const MAX_CALL_TENSOR_BYTES = MAX_CALL_BYTES - 8 * 1024;

/** Asks a function for its signature, as clients do before their first request. It does not load the weights. */
export interface DescribeCall {
  readonly version: typeof CONTRACT_VERSION;
  readonly describe: true;
}

/** The answer to a `DescribeCall`. */
export interface DescribeAnswer {
  readonly signature: PipelineSignature;
}

/** The event of a batch that asks for a step of the user alone. The answer is that of the user's function. */
export interface StepCall {
  readonly version: typeof CONTRACT_VERSION;
  /** As in the event of a slice. */
  readonly deploymentDigest: string;
  readonly step: 'preprocess' | 'postprocess';
  /** What the user's function gets. */
  readonly event: unknown;
}
