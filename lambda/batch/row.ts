/** Failures of items, which are in rows of the table, and of whole children and batches. */
import type { BatchFailure } from '../../contract/batch';
import type { BATCH_ERROR_NAMES } from '../../contract/batch-function';
import { parsedRecord } from '../json-values';

const MAX_ERROR = 120;
const MAX_MESSAGE = 400;

/** Fails a call of the batch's function with a name that the state machine shows. */
export class BatchFailed extends Error {
  constructor(
    override readonly name: (typeof BATCH_ERROR_NAMES)[keyof typeof BATCH_ERROR_NAMES],
    message: string,
  ) {
    super(message);
    // Not empty: the Lambda runtime client reports an error without a stack as its own fault.
    this.stack = name;
  }
}

/**
 * The failure of a run or a child, as Step Functions reports it. Lambda wraps the message of a function in JSON, and the message of a slice
 * function is JSON again.
 */
export function failureOfCause(error = '', cause = ''): BatchFailure {
  const { errorMessage } = parsedRecord(cause) ?? {};
  const inner = typeof errorMessage === 'string' ? errorMessage : cause;
  const { message } = parsedRecord(inner) ?? {};
  return failureOfItem(error, typeof message === 'string' ? message : inner);
}

export function failureOfItem(error: string, message: string): BatchFailure {
  return {
    error: bounded(error, MAX_ERROR) || 'Unknown',
    message: bounded(message, MAX_MESSAGE) || 'the run failed without a reason',
  };
}

function bounded(text: string, length: number): string {
  const line = text.replace(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
