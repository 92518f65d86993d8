/** The error of a function before or after the slices. Its message is JSON that says where the run failed. */
import { HANDLER_ERROR, NAMES_OF_SLICES, type FailureCause } from '../../contract/failures';
import { InferenceError } from '../errors';

type Step = NonNullable<FailureCause['step']>;

/** In characters, so that the console and the history of an execution show the cause in full. */
const MAX_MESSAGE = 500;
const MAX_FIELD = 120;

/** Step Functions matches the name. `parseFailureCause` reads the message. */
class HandlerFailure extends Error {
  constructor(
    override readonly name: string,
    cause: FailureCause,
    stack: string | undefined,
  ) {
    super(JSON.stringify(cause));
    // The function's log shows where its own code failed.
    if (stack !== undefined) this.stack = stack;
  }
}

/** Runs the work of a function. Its errors keep their names and get a cause with the step. */
export async function failingIn<T>(step: Step, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failureIn(step, error);
  }
}

function failureIn(step: Step, error: unknown): HandlerFailure {
  if (!(error instanceof Error))
    return new HandlerFailure('Error', { step, message: bounded(String(error)) }, undefined);
  const isOfSlices = NAMES_OF_SLICES.includes(error.name);
  const text = error.message === '' ? error.name : error.message;
  const message = bounded(isOfSlices ? `${error.name}: ${text}` : text);
  const details = error instanceof InferenceError ? error : undefined;
  const cause = {
    ...{ step, message },
    ...(details?.tensor !== undefined && { tensor: bounded(details.tensor, MAX_FIELD) }),
    ...(details?.expected !== undefined && { expected: bounded(details.expected, MAX_FIELD) }),
    ...(details?.got !== undefined && { got: bounded(details.got, MAX_FIELD) }),
  };
  return new HandlerFailure(isOfSlices ? HANDLER_ERROR : error.name, cause, error.stack);
}

/** One line: a terminal would obey control characters. */
function bounded(text: string, length: number = MAX_MESSAGE): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
