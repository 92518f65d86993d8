/** How an execution ended: its output, or the error of one that failed. AWS services wrap its cause in text and JSON of their own. */
import { type JsonRecord, parsedRecord } from '../lambda/json-values';
import { type FailureCause, HANDLER_ERROR, NAMES_OF_SLICES } from '../contract/failures';
import { InferenceError } from './errors';

/**
 * Reads the cause of a failed execution: the JSON of a slice function, with or without the JSON that Lambda puts around it,
 * or the text of the service that failed. Never throws.
 * @param cause `cause` of the execution; a Standard execution that can be redriven has Lambda's JSON
 * @returns at least the message
 */
export function parseFailureCause(cause: string): FailureCause {
  const outer = parsedRecord(cause);
  if (outer === undefined) return { message: cause };
  const { errorMessage } = outer;
  if (typeof errorMessage === 'string') return own(parsedRecord(errorMessage)) ?? { message: errorMessage };
  return own(outer) ?? { message: cause };
}

function own(fields: JsonRecord | undefined): FailureCause | undefined {
  const { slice, step, message, tensor, expected, got, deploymentDigest } = fields ?? {};
  if (typeof message !== 'string') return undefined;
  return {
    ...(typeof slice === 'number' && { slice }),
    ...((step === 'preprocess' || step === 'postprocess') && { step }),
    message,
    ...(typeof tensor === 'string' && { tensor }),
    ...(typeof expected === 'string' && { expected }),
    ...(typeof got === 'string' && { got }),
    ...(typeof deploymentDigest === 'string' && { deploymentDigest }),
  };
}

export interface ExecutionEnd {
  readonly executionArn: string;
  readonly status: string | undefined;
  readonly output?: string | undefined;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

export function outputOf({ executionArn, status, output, error, cause }: ExecutionEnd): string {
  if (status === 'SUCCEEDED' && output !== undefined) return output;
  if (cause === undefined || cause === '') {
    const [name, message] = withoutCause(status, error);
    throw new InferenceError(name, message, { executionArn });
  }
  const { message, ...details } = parseFailureCause(cause);
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
