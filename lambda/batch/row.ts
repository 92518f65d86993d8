/** Failures in rows of the table. */
import type { BatchFailure } from '../../contract/batch';
import { UNNAMED_FAILURE } from '../../contract/batch-function';
import { isRecord } from '../json-values';

const MAX_ERROR = 120;
const MAX_MESSAGE = 400;

export function failureOfItem(error: string, message: string): BatchFailure {
  return { error: bounded(error, MAX_ERROR), message: bounded(message, MAX_MESSAGE) };
}

/**
 * The failure of a run or a child, as Step Functions reports it. Lambda wraps the message of a function in JSON, and the message of a slice
 * function is JSON again.
 */
export function failureOfCause(error = '', cause = ''): BatchFailure {
  const { errorMessage } = jsonObject(cause);
  const inner = typeof errorMessage === 'string' ? errorMessage : cause;
  const { message } = jsonObject(inner);
  const text = typeof message === 'string' ? message : inner;
  return failureOfItem(
    error === '' ? UNNAMED_FAILURE.error : error,
    text === '' ? UNNAMED_FAILURE.message : text,
  );
}

export function jsonObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    // Causes of sandbox faults are plain text.
    return {};
  }
}

function bounded(text: string, length: number): string {
  const line = text.replace(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
