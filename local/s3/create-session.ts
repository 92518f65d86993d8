/** CreateSession, which the SDK calls before it uses a directory bucket. A session here has the caller's own access key. */
import type * as http from 'node:http';
import { notImplemented } from './errors';
import { allowQuery, isDirectoryBucket, type S3Request } from './request';
import type { DiskObjectStore } from './store';
import { element, xmlDocument } from './xml';

/** What a session may do. */
export type SessionMode = 'ReadWrite' | 'ReadOnly';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html */
const SESSION_MS = 5 * 60_000;

/** The token of a session names its mode. */
function sessionToken(mode: SessionMode): string {
  return `session-${mode}`;
}

/** The mode of the session that a request belongs to; `undefined` without a session. */
export function modeOfSession({ headers }: S3Request): SessionMode | undefined {
  const token = headers['x-amz-s3session-token'];
  return (['ReadWrite', 'ReadOnly'] as const).find((mode) => token === sessionToken(mode));
}

export function isCreateSession({ method, key, query }: S3Request): boolean {
  return method === 'GET' && key === '' && query.has('session');
}

export function createSession(
  store: DiskObjectStore,
  mode: SessionMode,
  request: S3Request,
  response: http.ServerResponse,
): void {
  allowQuery(request, ['session']);
  store.checkBucket(request.bucket);
  if (!isDirectoryBucket(request.bucket))
    throw notImplemented('CreateSession for a bucket that is not a directory bucket');
  const credentials = [
    element('AccessKeyId', request.accessKeyId),
    // Signatures are not verified.
    element('SecretAccessKey', 'session'),
    element('SessionToken', sessionToken(mode)),
    element('Expiration', new Date(Date.now() + SESSION_MS).toISOString()),
  ].join('');
  const xml = xmlDocument('CreateSessionResult', [`<Credentials>${credentials}</Credentials>`]);
  response.writeHead(200, { 'Content-Type': 'application/xml' }).end(xml);
}
