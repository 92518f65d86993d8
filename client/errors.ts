/** The errors of calls: a failed inference, and a wait that was too long. */
import type { FailureCause } from '../contract/failures';

/** Where an inference failed, as far as it is known. */
export interface InferenceErrorDetails extends Omit<FailureCause, 'message' | 'deploymentDigest'> {
  /** Of the execution that failed; absent if none was started. */
  readonly executionArn?: string | undefined;
  /** The execution's cause as Step Functions has it, or the error of the AWS SDK. */
  readonly cause?: unknown;
}

/**
 * An inference failed. `name` is the error's name: one of `ERROR_NAMES` if a slice failed, one of Step Functions or Lambda such as
 * `States.Timeout`, one of the AWS SDK such as `AccessDenied` or of a connection such as `ECONNREFUSED`, or one of the client's
 * own: `InvalidInput` (nothing was started), `InvalidOutput`, `NotAPipeline`, `NotABatch`, `ExecutionAborted`, `NotStopped`.
 *
 * @hideconstructor
 */
export class InferenceError extends Error {
  /** Name of the error; see the class. */
  override readonly name: string;
  /** The slice that failed. */
  readonly slice: number | undefined;
  /** The user's own function that failed. */
  readonly step: 'preprocess' | 'postprocess' | undefined;
  /** The tensor that the failure is about. */
  readonly tensor: string | undefined;
  /** The type, shape or value that was expected, such as `float32[batch,35]`. */
  readonly expected: string | undefined;
  /** The type, shape or value that was there instead. */
  readonly got: string | undefined;
  /** Of the execution that failed; absent if none was started. */
  readonly executionArn: string | undefined;

  constructor(name: string, message: string, details: InferenceErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = name;
    this.slice = details.slice;
    this.step = details.step;
    this.tensor = details.tensor;
    this.expected = details.expected;
    this.got = details.got;
    this.executionArn = details.executionArn;
  }
}

/**
 * A wait was longer than `waitTimeout`, or one request to AWS longer than `requestTimeout`. The execution may still run.
 *
 * @hideconstructor
 */
export class InferenceTimeoutError extends Error {
  /** Always `InferenceTimeoutError`. */
  override readonly name = 'InferenceTimeoutError';

  /**
   * @param executionArn of the execution that may still run; absent if none is known
   * @param cause why the last request failed, if it was to be sent again
   */
  constructor(
    message: string,
    /** Of the execution that may still run; absent if none is known. */
    readonly executionArn?: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? {} : { cause });
  }
}

/** A tensor of the caller that does not fit: `input 'x' must be …, got …: advice`. */
export function invalidTensor(
  tensor: string,
  subject: string,
  { expected, got, advice }: { readonly expected: string; readonly got: string; readonly advice: string },
): InferenceError {
  return new InferenceError('InvalidInput', `${subject} must be ${expected}, got ${got}: ${advice}`, {
    tensor,
    expected,
    got,
  });
}
