/** Identifies the caller of a request. Replace this file to verify signatures. */
import type * as http from 'node:http';
import type { Caller, Callers } from '../../s3/callers';
import { ApiError } from './errors';

/**
 * By the access key id in the Signature Version 4 header. The signature itself is not verified, because each id is random
 * and known only to the process that it was created for.
 */
export function authenticate({ headers }: http.IncomingMessage, callers: Callers): Caller {
  const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\//.exec(headers.authorization ?? '');
  if (match === null)
    throw new ApiError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  const caller = callers.find(match[1]);
  if (caller === undefined) {
    throw new ApiError(
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    );
  }
  return caller;
}
