/** PutObject: a body, plain or `aws-chunked`, is checked against its checksums and committed atomically. */
import { Readable } from 'node:stream';
import { decodeAwsChunked, type Trailers } from './aws-chunked';
import { checksumAlgorithm, type ChecksumAlgorithm, verifyChecksums } from './checksums';
import { notImplemented, S3Error } from './errors';
import type { S3Request } from './request';
import type { ObjectStore, StoredObject } from './store';

/** Headers that are understood here or in `request.ts`, or that have no effect on one machine. */
const KNOWN_HEADERS: ReadonlySet<string> = new Set([
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-security-token',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
  'x-amz-trailer',
  'x-amz-user-agent',
]);

/** System metadata and preconditions that S3 has and this one does not. */
const UNKNOWN_HEADERS: readonly string[] = [
  'cache-control',
  'content-disposition',
  'content-language',
  'expires',
  'if-match',
];

export async function putObject(store: ObjectStore, request: S3Request): Promise<StoredObject> {
  const headers = checkHeaders(request);
  const chunked = isAwsChunked(headers['content-encoding']);
  const size = declaredSize(chunked ? headers['x-amz-decoded-content-length'] : headers['content-length']);
  const expected = checksumHeaders(headers);
  const trailers: Trailers = new Map();
  const announced = (headers['x-amz-trailer'] ?? '').split(',').map((name) => name.trim().toLowerCase());
  const trailing = announced
    .filter((name) => name !== '')
    .map((name) => [name, checksumAlgorithm(name)] as const);

  const body = chunked ? Readable.from(decodeAwsChunked(request.message, trailers)) : request.message;
  return store.put(request.bucket, request.key, body, {
    onlyIfAbsent: onlyIfAbsent(headers['if-none-match']),
    contentType: headers['content-type'],
    metadata: userMetadata(headers),
    algorithms: [...expected.keys(), ...trailing.flatMap(([, algorithm]) => algorithm ?? [])],
    verify: (received, actual) => {
      if (received !== size) throw new S3Error('IncompleteBody', `expected ${size} bytes, got ${received}`);
      for (const [name, algorithm] of trailing) {
        const value = trailers.get(name);
        if (value === undefined) throw new S3Error('IncompleteBody', `the trailer ${name} is missing`);
        if (algorithm !== undefined) expected.set(algorithm, value);
      }
      verifyChecksums(Object.fromEntries(expected), actual);
    },
  });
}

type Headers = Readonly<Record<string, string | undefined>>;

function checkHeaders(request: S3Request): Headers {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    headers[name] = Array.isArray(value) ? value.join(',') : value;
    if (UNKNOWN_HEADERS.includes(name)) throw notImplemented(`PutObject with the header ${name}`);
    if (!name.startsWith('x-amz-') || name.startsWith('x-amz-meta-') || KNOWN_HEADERS.has(name)) continue;
    if (checksumAlgorithm(name) === undefined) throw notImplemented(`PutObject with the header ${name}`);
  }
  return headers;
}

function isAwsChunked(encoding: string | undefined): boolean {
  if (encoding === undefined || encoding === '') return false;
  if (encoding === 'aws-chunked') return true;
  throw notImplemented(`PutObject with the content encoding '${encoding}'`);
}

function declaredSize(header: string | undefined): number {
  if (header === undefined) throw new S3Error('MissingContentLength', 'the request names no content length');
  return Number(header);
}

function checksumHeaders(headers: Headers): Map<ChecksumAlgorithm, string> {
  const expected = new Map<ChecksumAlgorithm, string>();
  for (const [name, value] of Object.entries(headers)) {
    const algorithm = checksumAlgorithm(name);
    if (algorithm !== undefined && value !== undefined) expected.set(algorithm, value);
  }
  return expected;
}

function onlyIfAbsent(ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() !== '*') throw notImplemented(`PutObject with If-None-Match: ${ifNoneMatch}`);
  return true;
}

function userMetadata(headers: Headers): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('x-amz-meta-') && value !== undefined) metadata[name] = value;
  }
  return metadata;
}
