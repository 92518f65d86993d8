/** Errors of slice functions. The state machine matches the name; the message is a JSON cause. */
import { ERROR_NAMES, type ErrorName, type FailureCause } from '../contract/failures';

type FailureDetails = Omit<FailureCause, 'slice' | 'step'>;

/**
 * In characters. Step Functions truncates causes at 32 KiB and wraps this JSON in JSON once more. A cause of about
 * 1,000 characters is shown in full everywhere.
 */
const MAX_CAUSE_LENGTH = 1000;
const MAX_FIELD_LENGTH = 120;
const MAX_MESSAGE_LENGTH = 500;

/** Slice index in the cause if the function could not read its own index from the environment. */
export const UNKNOWN_SLICE = -1;

/** A failure with an error name, thrown by code that does not know the slice's index. */
export class NamedFailure extends Error {
  constructor(
    override readonly name: ErrorName,
    readonly details: FailureDetails,
    cause?: unknown,
  ) {
    super(details.message, { cause });
  }
}

/** The error that the slice function throws to the Lambda runtime. It has no stack trace: callers cannot use one. */
export class SliceFailure extends Error {
  constructor(
    override readonly name: ErrorName,
    cause: FailureCause,
  ) {
    super(boundedJson(cause));
    // Not empty: the Lambda runtime client reports an error without a stack as its own fault.
    this.stack = name;
  }
}

type About = Omit<FailureDetails, 'message'>;

export function invalidInput(message: string, about: About = {}, cause?: unknown): NamedFailure {
  return new NamedFailure(ERROR_NAMES.invalidInput, { message, ...about }, cause);
}

export function sliceFailed(message: string, about: About = {}, cause?: unknown): NamedFailure {
  return new NamedFailure(ERROR_NAMES.sliceFailed, { message, ...about }, cause);
}

export function failureOf(error: unknown, slice: number, about: About = {}): SliceFailure {
  if (error instanceof NamedFailure)
    return new SliceFailure(error.name, { slice, ...error.details, ...about });
  return new SliceFailure(ERROR_NAMES.sliceFailed, { slice, message: messageOf(error), ...about });
}

export function messageOf(error: unknown): string {
  if (isOutOfSpace(error)) {
    return 'the function has no space left in /tmp: raise its ephemeral storage size';
  }
  return error instanceof Error ? error.message : String(error);
}

export function isOutOfSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC';
}

function boundedJson(cause: FailureCause): string {
  const { slice, message, tensor, expected, got, deploymentDigest } = cause;
  const fields = {
    ...(tensor !== undefined && { tensor: bounded(tensor, MAX_FIELD_LENGTH) }),
    ...(expected !== undefined && { expected: bounded(expected, MAX_FIELD_LENGTH) }),
    ...(got !== undefined && { got: bounded(got, MAX_FIELD_LENGTH) }),
    ...(deploymentDigest !== undefined && { deploymentDigest: bounded(deploymentDigest, MAX_FIELD_LENGTH) }),
  };
  // JSON escapes some characters as six, so a message that fits as text may be too long as JSON.
  for (let length = MAX_MESSAGE_LENGTH; length > 0; length = Math.floor(length / 2)) {
    const json = JSON.stringify({ slice, message: bounded(message, length), ...fields });
    if (json.length <= MAX_CAUSE_LENGTH) return json;
  }
  return JSON.stringify({ slice, message: 'failed with a message that cannot be shown' });
}

/** One line, and at most so many characters of it. */
export function bounded(text: string, length: number): string {
  // JSON escapes some control characters only, and a terminal obeys the others.
  const line = text.replace(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
