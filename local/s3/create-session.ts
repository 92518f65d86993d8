/**
 * CreateSession, which the SDK calls before it uses a directory bucket: temporary credentials for this bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html
 */
import { invalidArgument, notImplemented } from './errors';
import type { Answer, S3Service } from './operation';
import { isDirectoryBucket, type S3Request } from './request';
import { checkEncryption, ENCRYPTION_HEADERS, type Headers } from './request-headers';
import { element, xmlDocument } from './xml';

const SESSION_MS = 5 * 60_000;
const MODE = 'x-amz-create-session-mode';
export const SESSION_HEADERS: readonly string[] = [MODE, ...ENCRYPTION_HEADERS];

/** The session has the mode that the caller asked for, or what it may do if it did not ask. */
export function createSession(
  { store, callers, authorization }: S3Service,
  request: S3Request,
  headers: Headers,
): Answer {
  const { bucket } = request;
  checkMode(headers[MODE]);
  checkEncryption(headers);
  store.checkBucket(bucket);
  if (!isDirectoryBucket(bucket))
    throw notImplemented('CreateSession for a bucket that is not a directory bucket');
  const expires = Date.now() + SESSION_MS;
  const session = { bucket, readOnly: authorization.sessionMode(request) === 'ReadOnly' };
  const key = callers.addSession(request.caller, session, expires);
  const credentials = [
    element('AccessKeyId', key.accessKeyId),
    element('SecretAccessKey', key.secretAccessKey),
    element('SessionToken', key.sessionToken),
    element('Expiration', new Date(expires).toISOString()),
  ].join('');
  return { xml: xmlDocument('CreateSessionResult', [`<Credentials>${credentials}</Credentials>`]) };
}

function checkMode(mode = 'ReadWrite'): void {
  if (mode === 'ReadOnly' || mode === 'ReadWrite') return;
  throw invalidArgument(MODE, 'The session mode must be ReadOnly or ReadWrite', mode);
}
