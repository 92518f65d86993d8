/** Parses an S3 request: bucket, key, query, headers and caller. */
import type * as http from 'node:http';
import type { TLSSocket } from 'node:tls';
import { queryOf, rawPathOf } from '../http/loopback-server';
import { type Authenticated, type Caller, checkScopeOf, type Session } from './callers';
import { invalidArgument, notImplemented, S3Error } from './errors';

/** Lower-case names; several values of one name are joined by commas. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** @param size of all bytes */
export type Alter = (bytes: AsyncIterable<Buffer> | Iterable<Buffer>, size: number) => AsyncIterable<Buffer>;

export interface S3Request {
  readonly method: string;
  /** Empty for a request to the service itself. */
  readonly bucket: string;
  /** Empty for a request to the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly message: http.IncomingMessage;
  readonly caller: Caller;
  readonly session?: Session;
  readonly tlsVersion: number;
  /** Damages the body on its way to S3. */
  readonly alterBody?: Alter;
  /** Damages the body of the answer on its way back. */
  readonly alterAnswer?: Alter;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html */
export function isDirectoryBucket(bucket: string): boolean {
  return /--[a-z0-9-]+--x-s3$/.test(bucket);
}

/** Expects path-style addressing. Splits the raw path by hand, because `URL` would rewrite keys such as `a/../b`. */
export function parseRequest(message: http.IncomingMessage, authenticated: Authenticated): S3Request {
  const [, bucket = '', key = ''] = /^.([^/]*)\/?(.*)$/s.exec(rawPathOf(message.url ?? '/')) ?? [];
  const query = queryOf(message.url ?? '/');
  const request: S3Request = {
    method: message.method ?? '',
    bucket: decode(bucket),
    // The SDK puts a second slash before the keys of a directory bucket at an IP address.
    key: decode(isDirectoryBucket(bucket) ? key.replace(/^\//, '') : key),
    query,
    headers: joined(message.headers),
    message,
    caller: authenticated.caller,
    tlsVersion: tlsVersion(message),
    ...(authenticated.session && { session: authenticated.session }),
  };
  checkScopeOf(authenticated, request, isDirectoryBucket(request.bucket));
  return request;
}

function joined(headers: http.IncomingHttpHeaders): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value?.toString()]));
}

/** Only path-style addresses work without a name server, and the SDK uses them for an IP address. */
export function checkHost({ headers }: http.IncomingMessage): void {
  const name = (headers.host ?? '').replace(/:\d+$/, '');
  if (!/\.localhost$/i.test(name)) return;
  throw notImplemented(
    `virtual-hosted addresses such as ${name}: force path-style addresses (forcePathStyle)`,
  );
}

/** Without TLS, which users only switch off to compare, requests count as TLS 1.3: policies of buckets would refuse all others. */
function tlsVersion({ socket }: http.IncomingMessage): number {
  if (!('encrypted' in socket)) return 1.3;
  return Number((socket as TLSSocket).getProtocol()?.replace('TLSv', ''));
}

/** Fails for malformed escapes and invalid UTF-8. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI');
  }
}

const MAX_PAGE = 1000;

export function pageSize(query: URLSearchParams, name: string): number {
  return Math.min(query.has(name) ? wholeNumber(query, name, 0, 2 ** 31 - 1) : MAX_PAGE, MAX_PAGE);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;

export function partNumber(query: URLSearchParams): number {
  return wholeNumber(query, 'partNumber', 1, MAX_PARTS);
}

function wholeNumber(query: URLSearchParams, name: string, lowest: number, highest: number): number {
  const text = query.get(name) ?? '';
  const number = Number(text);
  if (/^\d{1,10}$/.test(text) && number >= lowest && number <= highest) return number;
  throw invalidArgument(name, `Argument ${name} must be an integer between ${lowest} and ${highest}`, text);
}
