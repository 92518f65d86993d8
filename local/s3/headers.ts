/** Headers of requests: each is supported, has no effect on one machine, or is refused by name. Headers of responses. */
import type * as http from 'node:http';
import { ENCRYPTION_HEADER, KEY_HEADER } from '../iam/s3-actions';
import { CHECKSUM_TYPE, checksumAlgorithm, checksumHeader } from './checksums';
import { invalidArgument, notImplemented } from './errors';
import type { Headers } from './request';
import type { ObjectMetadata, StoredObject } from './store';

/** Headers that every operation here supports, or that have no effect on one machine. */
const KNOWN_HEADERS: ReadonlySet<string> = new Set([
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-expected-bucket-owner',
  'x-amz-s3session-token',
  'x-amz-security-token',
  'x-amz-user-agent',
]);

export const WRITE_HEADERS: readonly string[] = [
  'x-amz-decoded-content-length',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-trailer',
];

export const ENCRYPTION_HEADERS: readonly string[] = [
  ENCRYPTION_HEADER,
  KEY_HEADER,
  'x-amz-server-side-encryption-bucket-key-enabled',
];

/** Headers that S3 stores with an object and returns with it, besides `Content-Type`. */
const SYSTEM_METADATA: readonly string[] = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
];

export function checkHeaders(headers: Headers, operation: string, own: readonly string[] = []): void {
  for (const name of Object.keys(headers)) {
    if (!name.startsWith('x-amz-') || name.startsWith('x-amz-meta-')) continue;
    if (KNOWN_HEADERS.has(name) || own.includes(name) || checksumAlgorithm(name) !== undefined) continue;
    throw notImplemented(`${operation} with the header ${name}`);
  }
}

export function objectMetadata(headers: Headers): ObjectMetadata {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const kept = name === 'content-encoding' ? storedEncoding(value) : value;
    const isMetadata = name.startsWith('x-amz-meta-') || isEncryption(name) || SYSTEM_METADATA.includes(name);
    if (isMetadata && kept) metadata[name] = kept;
  }
  checkEncryption(headers);
  return { contentType: headers['content-type'], metadata };
}

export function isEncryption(header: string): boolean {
  return header.startsWith(ENCRYPTION_HEADER);
}

/** `aws-chunked` is the framing of the request. */
function storedEncoding(header: string | undefined): string | undefined {
  return header
    ?.split(',')
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== 'aws-chunked')
    .join(',');
}

export function checkEncryption(headers: Headers): void {
  const encryption = headers[ENCRYPTION_HEADER];
  if (encryption !== undefined && encryption !== 'AES256' && encryption !== 'aws:kms') {
    throw notImplemented(`the encryption ${encryption}`);
  }
  if (headers[KEY_HEADER] === undefined || encryption === 'aws:kms') return;
  throw invalidArgument(
    ENCRYPTION_HEADER,
    'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
    encryption,
  );
}

/** Encryption of objects that were written without another: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html */
const DEFAULT_ENCRYPTION = 'AES256';

/** Headers of the response to a GET or a HEAD, without those that depend on the range. */
export function describeObject(object: StoredObject): http.OutgoingHttpHeaders {
  return {
    ...encryptionHeaders(object),
    ...object.metadata,
    ETag: object.etag,
    'Accept-Ranges': 'bytes',
    'Content-Type': object.contentType,
    'Last-Modified': object.lastModified.toUTCString(),
  };
}

export function writtenHeaders({ etag, checksum, metadata }: StoredObject): http.OutgoingHttpHeaders {
  return {
    ...encryptionHeaders({ metadata }),
    ETag: etag,
    [checksumHeader(checksum.algorithm)]: checksum.value,
    'x-amz-checksum-type': CHECKSUM_TYPE,
  };
}

export function encryptionHeaders({ metadata }: Pick<ObjectMetadata, 'metadata'>): http.OutgoingHttpHeaders {
  const stated = Object.entries(metadata).filter(([header]) => isEncryption(header));
  return { [ENCRYPTION_HEADER]: DEFAULT_ENCRYPTION, ...Object.fromEntries(stated) };
}
