/** Checks the headers of write requests: each is supported, has no effect on one machine, or is refused by name. */
import { checksumAlgorithm } from './checksums';
import { notImplemented } from './errors';
import type { S3Request } from './request';

/** Lower-case names; several values of one name are joined by commas. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** Headers that every operation here supports, or that have no effect on one machine. */
const KNOWN_HEADERS: ReadonlySet<string> = new Set([
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-s3session-token',
  'x-amz-decoded-content-length',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-security-token',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
  'x-amz-trailer',
  'x-amz-user-agent',
]);

/** System metadata and preconditions that S3 supports and the local S3 does not. */
const UNKNOWN_HEADERS: readonly string[] = [
  'cache-control',
  'content-disposition',
  'content-language',
  'expires',
  'if-match',
];

/**
 * The headers of a request.
 * @param own further headers that this operation supports
 * @throws S3Error `NotImplemented` for an unsupported header
 */
export function knownHeaders(request: S3Request, operation: string, own: readonly string[] = []): Headers {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    headers[name] = Array.isArray(value) ? value.join(',') : value;
    if (!isKnown(name, own)) throw notImplemented(`${operation} with the header ${name}`);
  }
  return headers;
}

function isKnown(name: string, own: readonly string[]): boolean {
  if (UNKNOWN_HEADERS.includes(name)) return false;
  if (!name.startsWith('x-amz-') || name.startsWith('x-amz-meta-')) return true;
  return KNOWN_HEADERS.has(name) || own.includes(name) || checksumAlgorithm(name) !== undefined;
}

export function onlyIfAbsent(headers: Headers, operation: string): boolean {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() !== '*') throw notImplemented(`${operation} with If-None-Match: ${ifNoneMatch}`);
  return true;
}

export function userMetadata(headers: Headers): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('x-amz-meta-') && value !== undefined) metadata[name] = value;
  }
  return metadata;
}
