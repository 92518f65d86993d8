/**
 * What is around the user's code in a handler: the clients of S3, which stay for the function's next calls, and its errors. In a file of its
 * own, because the declarations of the other files ship, and an application may have no types of the SDK.
 */
import type { FailureCause } from '../../contract/failures';
import { failureIn } from '../../lambda/handler-failure';
import { DEFAULT_MAX_RESULT_BYTES, DEFAULT_REQUEST_TIMEOUT } from '../options';
import { Objects, s3Connection, type S3Connection } from '../aws/objects';
import type { ReadOutputsOptions } from './handler-options';

type Step = NonNullable<FailureCause['step']>;

export async function failingIn<T>(step: Step, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failureIn(step, error);
  }
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
