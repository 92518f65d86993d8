/** How an execution ended, and the error of one that failed. */
import { HANDLER_ERROR, NAMES_OF_SLICES, type FailureCause } from '../../contract/failures';
import { parseFailureCause } from '../failure-cause';
import { InferenceError } from '../errors';

/** The fields in which StartSyncExecution and DescribeExecution agree. */
export interface ExecutionEnd {
  readonly executionArn: string;
  readonly status: string | undefined;
  /** JSON. */
  readonly output?: string | undefined;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
  /** The function of the user that failed, if it is known apart from the cause. */
  readonly step?: FailureCause['step'];
}

/**
 * Returns the output of an execution that succeeded.
 * @throws InferenceError with the error of one that failed
 */
export function outputOf({ executionArn, status, output, error, cause, step }: ExecutionEnd): string {
  if (status === 'SUCCEEDED' && output !== undefined) return output;
  if (cause === undefined || cause === '') {
    const [name, message] = withoutCause(status, error);
    throw new InferenceError(name, message, { executionArn, step });
  }
  const { message, ...details } = { step, ...parseFailureCause(cause) };
  const about = { ...details, executionArn, cause };
  if (about.step !== undefined && error !== undefined && NAMES_OF_SLICES.includes(error)) {
    throw new InferenceError(HANDLER_ERROR, `${error}: ${message}`, about);
  }
  throw new InferenceError(error ?? 'States.Runtime', message, about);
}

function withoutCause(
  status: string | undefined,
  error: string | undefined,
): [name: string, message: string] {
  // A Standard execution that timed out has no error.
  if (status === 'TIMED_OUT') {
    return [error ?? 'States.Timeout', "the execution was longer than the state machine's timeout: raise it"];
  }
  if (status === 'ABORTED') return [error ?? 'ExecutionAborted', 'the execution was stopped: start it again'];
  return [error ?? 'States.Runtime', `the execution ended without a cause: status ${status ?? 'unknown'}`];
}
