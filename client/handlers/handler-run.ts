/**
 * What is around the user's code in a handler: the clients of S3, which stay for the function's next calls, and its errors. In a file of its
 * own, because the declarations of the other files ship, and an application may have no types of the SDK.
 */
import { HANDLER_ERROR, NAMES_OF_SLICES, type FailureCause } from '../../contract/failures';
import { bounded } from '../../lambda/errors';
import { InferenceError } from '../errors';
import { DEFAULT_MAX_RESULT_BYTES, DEFAULT_REQUEST_TIMEOUT } from '../options';
import { Objects, s3Connection, type S3Connection } from '../aws/objects';
import type { ReadOutputsOptions } from './handler-options';

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

export async function failingIn<T>(step: Step, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failureIn(step, error);
  }
}

export function failureIn(step: Step, error: unknown): HandlerFailure {
  if (!(error instanceof Error))
    return new HandlerFailure('Error', { step, message: bounded(String(error), MAX_MESSAGE) }, undefined);
  const isOfSlices = NAMES_OF_SLICES.includes(error.name);
  const text = error.message === '' ? error.name : error.message;
  const message = bounded(isOfSlices ? `${error.name}: ${text}` : text, MAX_MESSAGE);
  const { tensor, expected, got } = error instanceof InferenceError ? error : {};
  const details = Object.entries({ tensor, expected, got }).filter(([, text]) => text !== undefined);
  const cause: FailureCause = {
    ...{ step, message },
    ...Object.fromEntries(details.map(([name, text]) => [name, bounded(String(text), MAX_FIELD)])),
  };
  return new HandlerFailure(isOfSlices ? HANDLER_ERROR : error.name, cause, error.stack);
}

/** All that an SDK client depends on comes from the environment, which Lambda sets once. */
let kept: S3Connection | undefined;

export function objectsOf({ s3, requestTimeout, maxResultBytes }: ReadOutputsOptions): Objects {
  const region = process.env.AWS_REGION ?? '';
  const connection = s3 === undefined ? (kept ??= s3Connection(undefined, region)) : s3Connection(s3, region);
  return new Objects(
    connection,
    requestTimeout ?? DEFAULT_REQUEST_TIMEOUT,
    maxResultBytes ?? DEFAULT_MAX_RESULT_BYTES,
  );
}
