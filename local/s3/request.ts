/** Parses an S3 request: bucket, key, query, headers and caller. */
import type * as http from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Principal } from '../iam/principals';
import type { Traffic } from '../simulation/traffic';
import type { Caller, Callers } from './callers';
import { notImplemented, S3Error } from './errors';

export interface S3Request {
  readonly method: string;
  /** Empty for a request to the service itself. */
  readonly bucket: string;
  /** Empty for a request to the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  readonly message: http.IncomingMessage;
  /** The caller's access key id. */
  readonly accessKeyId: string;
  /** Who the caller is for IAM. A caller without a principal may do anything. */
  readonly principal?: Principal;
  /** The version of TLS that the request came with, such as 1.3; `undefined` for plain HTTP. */
  readonly tlsVersion: number | undefined;
  /** Limits the speed at which the caller sends and receives. */
  readonly traffic?: Traffic;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html */
export function isDirectoryBucket(bucket: string): boolean {
  return /--[a-z0-9-]+--x-s3$/.test(bucket);
}

/** Expects path-style addressing. Splits the raw path by hand, because `URL` would rewrite keys such as `a/../b`. */
export function parseRequest(message: http.IncomingMessage, caller: Caller): S3Request {
  const { accessKeyId, principal, traffic } = caller;
  const [path = '', query = ''] = splitOnce(message.url ?? '/', '?');
  const [bucket = '', key = ''] = splitOnce(path.slice(1), '/');
  return {
    method: message.method ?? '',
    bucket: decode(bucket),
    // The SDK puts a second slash before the keys of a directory bucket at an IP address.
    key: decode(isDirectoryBucket(bucket) ? key.replace(/^\//, '') : key),
    query: new URLSearchParams(query),
    headers: message.headers,
    message,
    accessKeyId,
    tlsVersion: tlsVersion(message),
    ...(principal && { principal }),
    ...(traffic && { traffic }),
  };
}

/**
 * Plain HTTP counts as TLS 1.3 as long as this endpoint has no TLS, because the policies of buckets refuse plain HTTP.
 * COORDINATOR: when the endpoint has TLS, return `undefined` for a socket that is not encrypted.
 */
function tlsVersion({ socket }: http.IncomingMessage): number | undefined {
  if (!('encrypted' in socket)) return 1.3;
  return Number((socket as TLSSocket).getProtocol()?.replace('TLSv', ''));
}

/**
 * Identifies the caller by the access key id in the Signature Version 4 header. The signature itself is not verified,
 * because each id is random and known only to the process that it was created for.
 */
export function authenticate({ headers }: http.IncomingMessage, callers: Callers): Caller {
  const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\//.exec(headers.authorization ?? '');
  if (match === null)
    throw new S3Error('AccessDenied', 'the request must have a Signature Version 4 header, got none');
  const caller = callers.find(match[1]);
  if (caller === undefined) {
    throw new S3Error(
      'InvalidAccessKeyId',
      'the access key id must come from this local cloud, got another one',
    );
  }
  return caller;
}

/** Refuses query parameters that select another operation or an unsupported variant. */
export function allowQuery(request: S3Request, known: readonly string[]): void {
  for (const name of request.query.keys()) {
    if (name !== 'x-id' && !known.includes(name)) throw notImplemented(operationName(request));
  }
}

/** Names an operation in an error: by the SDK's hint, or else by method and subresource. */
export function operationName(request: S3Request): string {
  const hint = request.query.get('x-id');
  if (hint !== null) return `${hint} (${request.method} ?${request.query.toString()})`;
  const target = request.key !== '' ? 'object' : request.bucket !== '' ? 'bucket' : 'service';
  const query = request.query.toString();
  return `${request.method} on ${target}${query === '' ? '' : ` with ?${query}`}`;
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // decodeURIComponent fails only for malformed escapes and invalid UTF-8.
    throw new S3Error('InvalidURI', `the path must be UTF-8 in percent encoding, got '${text}'`);
  }
}
