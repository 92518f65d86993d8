/** The headers that describe an object in responses. */
import type * as http from 'node:http';
import { ENCRYPTION_HEADER } from '../iam/s3-actions';
import { checksumHeader } from './checksums';
import { isDirectoryBucket } from './request';
import { isEncryption, type ObjectMetadata } from './request-headers';
import type { StoredObject } from './store';

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
