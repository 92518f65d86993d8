/** How a slice fails: an error whose name the state machine matches and whose message is a JSON cause. */
import { ERROR_NAMES, type ErrorName, type FailureCause } from '../contract/failures';

type FailureDetails = Omit<FailureCause, 'slice' | 'step'>;

/**
 * Step Functions cuts causes at 32 KiB and wraps this JSON into JSON once more; a cause that stays near 1,000
 * characters is whole wherever it is shown.
 */
const MAX_CAUSE_LENGTH = 1000;
const MAX_FIELD_LENGTH = 120;
const MAX_MESSAGE_LENGTH = 500;

/** Index in a cause when a slice fails before it knows its own, because its environment is unreadable. */
export const UNKNOWN_SLICE = -1;

/** A failure that knows its error name, thrown where the slice's index need not be known. */
export class NamedFailure extends Error {
  constructor(
    override readonly name: ErrorName,
    readonly details: FailureDetails,
  ) {
    super(details.message);
  }
}

/** What the slice function throws at the runtime. Its stack is its name alone: a caller has no use for ours. */
export class SliceFailure extends Error {
  constructor(
    override readonly name: ErrorName,
    cause: FailureCause,
  ) {
    super(boundedJson(cause));
    // The runtime client reports errors without a stack as a fault of its own.
    this.stack = name;
  }
}

export function invalidInput(message: string, about: Omit<FailureDetails, 'message'> = {}): NamedFailure {
  return new NamedFailure(ERROR_NAMES.invalidInput, { message, ...about });
}

export function sliceFailed(message: string, about: Omit<FailureDetails, 'message'> = {}): NamedFailure {
  return new NamedFailure(ERROR_NAMES.sliceFailed, { message, ...about });
}

export function failureOf(error: unknown, slice: number): SliceFailure {
  if (error instanceof NamedFailure) return new SliceFailure(error.name, { slice, ...error.details });
  return new SliceFailure(ERROR_NAMES.sliceFailed, { slice, message: messageOf(error) });
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
  const { slice, message, tensor, expected, got } = cause;
  const fields = {
    ...(tensor !== undefined && { tensor: bounded(tensor, MAX_FIELD_LENGTH) }),
    ...(expected !== undefined && { expected: bounded(expected, MAX_FIELD_LENGTH) }),
    ...(got !== undefined && { got: bounded(got, MAX_FIELD_LENGTH) }),
  };
  // JSON writes some characters as six, so what fits as text may not fit as JSON.
  for (let length = MAX_MESSAGE_LENGTH; length > 0; length = Math.floor(length / 2)) {
    const json = JSON.stringify({ slice, message: bounded(message, length), ...fields });
    if (json.length <= MAX_CAUSE_LENGTH) return json;
  }
  return JSON.stringify({ slice, message: 'failed with a message that cannot be shown' });
}

function bounded(text: string, length: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
