/** Failures of items, which are in rows of the table, and of whole batches. */
import type { BatchFailure } from '../../contract/batch';
import { ERROR_NAMES } from '../../contract/failures';
import { bounded, NamedFailure } from '../errors';
import { parsedRecord } from '../json-values';

const MAX_ERROR = 120;
const MAX_MESSAGE = 400;

/** Fails a call of the batch's function with a name that the state machine shows. */
export class BatchFailed extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
    // Not empty: the Lambda runtime client reports an error without a stack as its own fault.
    this.stack = name;
  }
}

const OF_ITEMS: readonly string[] = [ERROR_NAMES.invalidInput, ERROR_NAMES.corruptTensor];

/** Whether an error while an item's request is read concerns this item alone. A fault of S3 concerns all. */
export function isOfItem(error: unknown): error is NamedFailure {
  return error instanceof NamedFailure && OF_ITEMS.includes(error.name);
}

/**
 * The reason of a failure, as Step Functions reports it. Lambda wraps the message of a function in JSON, and the message of a slice
 * function is JSON again.
 */
export function failureOfCause(error = '', cause = ''): BatchFailure {
  const { errorMessage } = parsedRecord(cause) ?? {};
  const inner = typeof errorMessage === 'string' ? errorMessage : cause;
  const { message } = parsedRecord(inner) ?? {};
  const text = typeof message === 'string' ? message : inner;
  return {
    error: bounded(error, MAX_ERROR) || 'Unknown',
    message: bounded(text, MAX_MESSAGE) || 'the run failed without a reason',
  };
}

/**
 * In bytes of JSON, of the name and the reason: the failures of all 500 items of a run are in its state, which holds 256 KiB. With the fields
 * around them they have 200 KiB.
 */
const MAX_FAILURE_BYTES = 360;
const MAX_ERROR_BYTES = 80;

/** As a function answers it. */
export function failureOfItem(
  error: string,
  message: string,
): { readonly error: string; readonly cause: string } {
  const name = fitting(error, MAX_ERROR_BYTES);
  return { error: name, cause: fitting(message, MAX_FAILURE_BYTES - jsonBytes(name)) };
}

function fitting(text: string, bytes: number): string {
  let line = bounded(text, bytes);
  while (jsonBytes(line) > bytes) line = bounded(line, line.length - 1);
  return line;
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}
