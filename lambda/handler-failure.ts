/** Failures of the user's own functions, before and after a model. */
import { type FailureCause, HANDLER_ERROR, NAMES_OF_SLICES } from '../contract/failures';
import { bounded } from './errors';
import { parsedRecord } from './json-values';

type Step = NonNullable<FailureCause['step']>;

/** In characters, so that the console and the history of an execution show the cause in full. */
const MAX_MESSAGE = 500;
const MAX_FIELD = 120;

/** Step Functions matches the name. `parseFailureCause` reads the message. */
export class HandlerFailure extends Error {
  constructor(
    override readonly name: string,
    cause: FailureCause,
    /** What the user's function threw. */
    thrown: unknown,
  ) {
    super(JSON.stringify(cause), { cause: thrown });
    // The function's log shows where its own code failed.
    if (thrown instanceof Error && thrown.stack !== undefined) this.stack = thrown.stack;
  }
}

export function failureIn(step: Step, error: unknown): HandlerFailure {
  if (!(error instanceof Error))
    return new HandlerFailure('Error', { step, message: bounded(String(error), MAX_MESSAGE) }, error);
  const isOfSlices = NAMES_OF_SLICES.includes(error.name);
  const text = error.message === '' ? error.name : error.message;
  const message = bounded(isOfSlices ? `${error.name}: ${text}` : text, MAX_MESSAGE);
  const { tensor, expected, got } = error as Partial<Record<'tensor' | 'expected' | 'got', unknown>>;
  const details = Object.entries({ tensor, expected, got }).filter(([, text]) => typeof text === 'string');
  const cause: FailureCause = {
    ...{ step, message },
    ...Object.fromEntries(details.map(([name, text]) => [name, bounded(text as string, MAX_FIELD)])),
  };
  return new HandlerFailure(isOfSlices ? HANDLER_ERROR : error.name, cause, error);
}

/** As `failureIn`, but the failure of a handler of this package stays what it is. Its bundle has its own class of it. */
export function ownFailure(step: Step, error: unknown): HandlerFailure {
  const cause = error instanceof Error ? parsedRecord(error.message) : undefined;
  if (cause?.step !== step || typeof cause.message !== 'string') return failureIn(step, error);
  const { name, cause: thrown = error } = error as Error;
  return new HandlerFailure(name, cause as unknown as FailureCause, thrown);
}
