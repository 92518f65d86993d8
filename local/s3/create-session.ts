/**
 * CreateSession, which the SDK calls before it uses a directory bucket: temporary credentials for this bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html
 */
import type * as http from 'node:http';
import type { Callers } from './callers';
import { invalidArgument, notImplemented } from './errors';
import { allowQuery, isDirectoryBucket, type S3Request } from './request';
import { checkEncryption, knownHeaders } from './request-headers';
import type { DiskObjectStore } from './store';
import { element, xmlDocument } from './xml';

const SESSION_MS = 5 * 60_000;
const MODE = 'x-amz-create-session-mode';
const OWN_HEADERS = [
  MODE,
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
];

/** What a session may do. */
export type SessionMode = 'ReadWrite' | 'ReadOnly';

/** The mode of the session that a request belongs to; `undefined` without a session. */
export function modeOfSession({ session }: S3Request): SessionMode | undefined {
  return session && (session.readOnly ? 'ReadOnly' : 'ReadWrite');
}

export function isCreateSession({ method, key, query }: S3Request): boolean {
  return method === 'GET' && key === '' && query.has('session');
}

/** @param mode what the caller asked for, or what it may do if it did not ask */
export function createSession(
  store: DiskObjectStore,
  callers: Callers,
  mode: SessionMode,
  request: S3Request,
  response: http.ServerResponse,
): void {
  allowQuery(request, ['session']);
  const headers = knownHeaders(request, 'CreateSession', OWN_HEADERS);
  checkMode(headers[MODE]);
  checkEncryption(headers);
  store.checkBucket(request.bucket);
  if (!isDirectoryBucket(request.bucket))
    throw notImplemented('CreateSession for a bucket that is not a directory bucket');
  const expires = Date.now() + SESSION_MS;
  const session = { bucket: request.bucket, readOnly: mode === 'ReadOnly' };
  const key = callers.addSession(request.caller, session, expires);
  const credentials = [
    element('AccessKeyId', key.accessKeyId),
    element('SecretAccessKey', key.secretAccessKey),
    element('SessionToken', key.sessionToken),
    element('Expiration', new Date(expires).toISOString()),
  ].join('');
  const xml = xmlDocument('CreateSessionResult', [`<Credentials>${credentials}</Credentials>`]);
  response.writeHead(200, { 'Content-Type': 'application/xml' }).end(xml);
}

function checkMode(mode = 'ReadWrite'): void {
  if (mode === 'ReadOnly' || mode === 'ReadWrite') return;
  throw invalidArgument(MODE, 'The session mode must be ReadOnly or ReadWrite', mode);
}
