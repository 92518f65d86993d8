/** Repeats requests to S3 that fail temporarily. The SDK would not repeat a request whose body is a stream. */
import { S3ServiceException } from '@aws-sdk/client-s3';
import { isThrottlingError } from '@smithy/core/retry';
import type { ObjectReference } from '../../contract/execution';
import { ERROR_NAMES } from '../../contract/failures';
import { messageOf, NamedFailure } from '../errors';
import { SYSTEM_CLOCK, type CallDeadline, type Clock, RETRY_MS } from './limits';

/** Even if each of them takes long: an attempt may wait in vain for an answer. */
const LEAST_ATTEMPTS = 3;

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/**
 * S3 answers 409 to a conditional write while another write of the key is in progress, and 503 to ask for fewer requests:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const TEMPORARY_STATUS: readonly number[] = [408, 409, 429, 500, 502, 503, 504];

/** Names of temporary failures that have the status of permanent ones, besides those of throttling. The SDK retries them too. */
const TEMPORARY_NAMES: readonly string[] = [
  'BadDigest',
  'IncompleteBody',
  'RequestTimeout',
  'RequestTimeoutException',
  'RequestTimeTooSkewed',
];

export interface RetryOptions {
  /**
   * For how long at least an attempt is repeated, in milliseconds.
   * @default RETRY_MS
   */
  readonly retryMs?: number;
  readonly clock?: Clock;
  readonly deadline?: CallDeadline | undefined;
}

/**
 * Repeats `attempt` while it fails temporarily, with growing pauses of random length.
 * @throws NamedFailure `StorageUnavailable` if the failure lasts; other failures of `attempt`
 */
export async function retried<T>(
  object: ObjectReference,
  { retryMs = RETRY_MS, clock = SYSTEM_CLOCK, deadline }: RetryOptions,
  attempt: () => Promise<T>,
): Promise<T> {
  const startedAt = clock.now();
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTemporary(error)) throw error;
      const elapsed = clock.now() - startedAt;
      const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1));
      const isLasting = attempts >= LEAST_ATTEMPTS && elapsed >= retryMs;
      if (isLasting || deadline?.isNear(longest)) throw unavailable(object, elapsed, error);
      await clock.pause(longest * (0.5 + Math.random() / 2));
    }
  }
}

/** The status of S3's response, even if the SDK could not read its body. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && '$metadata' in error
    ? (error as S3ServiceException).$metadata.httpStatusCode
    : undefined;
}

/** Errors of Node.js and of the SDK that no network causes. */
const PERMANENT_ERRORS = [TypeError, RangeError, SyntaxError, URIError];
const PERMANENT_NAMES: readonly string[] = ['CredentialsProviderError', 'TokenProviderError'];

/** An error without a status is a failed connection. */
function isTemporary(error: unknown): boolean {
  const status = statusOf(error);
  const name = error instanceof Error ? error.name : '';
  if (status !== undefined) {
    const isThrottled = isThrottlingError(error as Parameters<typeof isThrottlingError>[0]);
    return isThrottled || TEMPORARY_STATUS.includes(status) || TEMPORARY_NAMES.includes(name);
  }
  return !PERMANENT_NAMES.includes(name) && !PERMANENT_ERRORS.some((permanent) => error instanceof permanent);
}

function unavailable({ bucket, key }: ObjectReference, elapsed: number, error: unknown): NamedFailure {
  const reason = error instanceof S3ServiceException ? `${error.name}: ${error.message}` : messageOf(error);
  return new NamedFailure(ERROR_NAMES.storageUnavailable, {
    message: `S3 refused s3://${bucket}/${key} for ${Math.round(elapsed / 1000)} seconds: ${reason}: start the execution again`,
  });
}
