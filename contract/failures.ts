/** Error names and causes of failed executions. */

/** Names of the errors with which a slice function, and then the execution, fails. */
export const ERROR_NAMES = {
  /** The request does not fit the model or the contract. Not retried. */
  invalidInput: 'InvalidInput',
  /** A deployment replaced the model during the run. Start the execution again. */
  planChanged: 'PlanChanged',
  /** A slice's file does not have the digest that the plan records. */
  weightsCorrupt: 'WeightsCorrupt',
  /** A tensor in S3 or in the state does not have the checksum that its writer computed, even when it was read again. */
  corruptTensor: 'CorruptTensor',
  /** S3 refused requests, or did not answer them, for longer than the function repeats them. */
  storageUnavailable: 'StorageUnavailable',
  /** Any other failure inside a slice. */
  sliceFailed: 'SliceFailed',
} as const;

/** Errors of a sandbox that was killed, ran out of memory or timed out, and of S3 after many requests of the function. */
export const SANDBOX_FAULTS: readonly string[] = [
  'Lambda.Unknown',
  'Sandbox.Timedout',
  'Runtime.ExitError',
  'Runtime.OutOfMemory',
  ERROR_NAMES.storageUnavailable,
];
export const SANDBOX_RETRIES = 2;

/**
 * Errors after which the network may have damaged the data. The function has deleted a corrupt file and downloads it again, and reads a
 * corrupt tensor again. Its output goes to the same key as before.
 */
export const DATA_FAULTS: readonly string[] = [
  ERROR_NAMES.weightsCorrupt,
  ERROR_NAMES.corruptTensor,
  ERROR_NAMES.sliceFailed,
];
export const DATA_RETRIES = 1;

/** The name of an error with which a slice function fails. */
export type ErrorName = (typeof ERROR_NAMES)[keyof typeof ERROR_NAMES];

/**
 * What only slices mean by these names. If a function of the user has one, its error is a `HandlerError`: nobody should start the execution
 * again, or look for the fault in a slice.
 */
export const NAMES_OF_SLICES: readonly string[] = [
  ERROR_NAMES.planChanged,
  ERROR_NAMES.sliceFailed,
  ERROR_NAMES.weightsCorrupt,
];
export const HANDLER_ERROR = 'HandlerError';

/** The states of a pipeline that call functions of the user, by the `step` of a failure. */
export const STEP_STATES = { preprocess: 'Preprocess', postprocess: 'Postprocess' } as const;

/** The JSON in the cause of a failed execution. */
export interface FailureCause {
  /** The slice that failed; absent when a preprocess or postprocess function failed. */
  readonly slice?: number;
  /** The user's own function that failed. */
  readonly step?: 'preprocess' | 'postprocess';
  /** What was expected, what was there, and what to do. */
  readonly message: string;
  /** The tensor that the failure is about. */
  readonly tensor?: string;
  /** The type, shape or value that was expected. */
  readonly expected?: string;
  /** The type, shape or value that was there instead. */
  readonly got?: string;
  /**
   * The run's deployment, if a slice may not read or write an object, or finds none. If the definition of the state machine no longer
   * contains this text, a later deployment has removed the permission: start the execution again.
   */
  readonly deploymentDigest?: string;
}
