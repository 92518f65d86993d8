/** Headers of requests: each is supported, has no effect on one machine, or is refused by name. Headers of responses. */
import type * as http from 'node:http';
import { ENCRYPTION_HEADER, KEY_HEADER } from '../iam/s3-actions';
import { checksumAlgorithm, checksumHeader } from './checksums';
import { invalidArgument, notImplemented, S3Error } from './errors';
import { type Headers, isDirectoryBucket, type S3Request } from './request';
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

export const OBJECT_HEADERS: readonly string[] = ['x-amz-acl', 'x-amz-storage-class', ...ENCRYPTION_HEADERS];

/** Headers that S3 stores with an object and returns with it, besides `Content-Type`. */
const SYSTEM_METADATA = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
] as const;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const MAX_METADATA_BYTES = 2048;

export function knownHeaders(request: S3Request, operation: string, own: readonly string[] = []): Headers {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    headers[name] = Array.isArray(value) ? value.join(',') : value;
    if (!name.startsWith('x-amz-') || name.startsWith('x-amz-meta-')) continue;
    if (KNOWN_HEADERS.has(name) || own.includes(name) || checksumAlgorithm(name) !== undefined) continue;
    throw notImplemented(`${operation} with the header ${name}`);
  }
  return headers;
}

export function checkOwner({ headers }: S3Request, account: string): void {
  const owner = headers['x-amz-expected-bucket-owner'];
  if (owner !== undefined && owner !== account) throw new S3Error('AccessDenied');
}

export function objectMetadata(headers: Headers): ObjectMetadata {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    if (name.startsWith('x-amz-meta-')) {
      bytes += Buffer.byteLength(name.slice('x-amz-meta-'.length)) + Buffer.byteLength(value, 'latin1');
      metadata[name] = value;
    } else if (isEncryption(name)) metadata[name] = value;
  }
  if (bytes > MAX_METADATA_BYTES) {
    throw new S3Error('MetadataTooLarge', undefined, {
      Size: bytes,
      MaxSizeAllowed: MAX_METADATA_BYTES,
    });
  }
  for (const name of SYSTEM_METADATA) {
    const value = name === 'content-encoding' ? storedEncoding(headers[name]) : headers[name];
    if (value !== undefined && value !== '') metadata[name] = value;
  }
  const acl = headers['x-amz-acl'];
  // New buckets have no ACLs: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
  if (acl !== undefined && acl !== 'bucket-owner-full-control' && acl !== 'private') {
    throw new S3Error('AccessControlListNotSupported');
  }
  checkEncryption(headers);
  return { contentType: headers['content-type'], metadata, storageClass: storageClass(headers) };
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

/** That S3 names the unknown encryption in an `InvalidArgument` is believed. */
export function checkEncryption(headers: Headers): void {
  const encryption = headers[ENCRYPTION_HEADER];
  if (encryption === 'aws:kms:dsse') throw notImplemented(`the encryption ${encryption}`);
  if (encryption !== undefined && encryption !== 'AES256' && encryption !== 'aws:kms') {
    throw invalidArgument(ENCRYPTION_HEADER, 'The encryption method specified is not supported', encryption);
  }
  if (headers[KEY_HEADER] !== undefined && encryption !== 'aws:kms') {
    throw invalidArgument(
      ENCRYPTION_HEADER,
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
      encryption,
    );
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html */
const STORAGE_CLASSES: readonly string[] = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'EXPRESS_ONEZONE',
];

/** Objects of these classes cannot be read before they are restored. */
const ARCHIVES: readonly string[] = ['GLACIER', 'DEEP_ARCHIVE'];

function storageClass(headers: Headers): string | undefined {
  const name = headers['x-amz-storage-class'];
  if (name === undefined || STORAGE_CLASSES.includes(name)) return name;
  if (ARCHIVES.includes(name)) throw notImplemented(`the storage class ${name}`);
  throw new S3Error('InvalidStorageClass', undefined, { StorageClassRequested: name });
}

/** Encryption of objects that were written without another: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html */
const DEFAULT_ENCRYPTION = 'AES256';

/** Headers of the response to a GET or a HEAD, without those that depend on the range. */
export function describeObject(bucket: string, object: StoredObject): http.OutgoingHttpHeaders {
  const storageClass = storageClassOf(bucket, object);
  return {
    ...encryptionHeaders(object),
    ...object.metadata,
    ETag: object.etag,
    'Accept-Ranges': 'bytes',
    'Content-Type': object.contentType,
    'Last-Modified': object.lastModified.toUTCString(),
    ...(storageClass !== 'STANDARD' && { 'x-amz-storage-class': storageClass }),
  };
}

export function writtenHeaders({ etag, checksum, metadata }: StoredObject): http.OutgoingHttpHeaders {
  return {
    ...encryptionHeaders({ metadata }),
    ETag: etag,
    [checksumHeader(checksum.algorithm)]: checksum.value,
    'x-amz-checksum-type': checksum.type,
  };
}

export function encryptionHeaders({ metadata }: Pick<ObjectMetadata, 'metadata'>): http.OutgoingHttpHeaders {
  const stated = Object.entries(metadata).filter(([header]) => isEncryption(header));
  return { [ENCRYPTION_HEADER]: DEFAULT_ENCRYPTION, ...Object.fromEntries(stated) };
}

export function storageClassOf(
  bucket: string,
  { storageClass }: Pick<ObjectMetadata, 'storageClass'>,
): string {
  return storageClass ?? (isDirectoryBucket(bucket) ? 'EXPRESS_ONEZONE' : 'STANDARD');
}
