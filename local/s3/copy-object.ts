/** CopyObject, within this S3: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
import { algorithmNamed, checksumElement } from './checksums';
import { checkCopySource, writeCondition } from './conditions';
import { entityTooLarge, invalidArgument, S3Error } from './errors';
import type { Answer, S3Service } from './operation';
import type { S3Request } from './request';
import { MAX_PUT_BYTES } from './request-body';
import { type Headers, isEncryption, type ObjectMetadata, objectMetadata } from './request-headers';
import type { StoredObject } from './store';
import { element, xmlDocument } from './xml';

export const COPY_HEADERS = ['x-amz-checksum-algorithm', 'x-amz-metadata-directive'] as const;

export async function copyObject(
  { store }: S3Service,
  { bucket, key, copySource: source = { bucket, key } }: S3Request,
  headers: Headers,
): Promise<Answer> {
  store.checkBucket(bucket);
  const original = store.head(source.bucket, source.key);
  checkCopySource(headers, original);
  if (original.size > MAX_PUT_BYTES) throw entityTooLarge(original.size, MAX_PUT_BYTES);
  const metadata = metadataOf(headers, original);
  if (source.bucket === bucket && source.key === key && !changesObject(headers)) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const algorithm = headers['x-amz-checksum-algorithm'];
  const object = await store.copy(original, bucket, key, {
    ...metadata,
    // A copy is one object without parts, so a composite checksum becomes one of the whole object.
    checksum: algorithm === undefined ? original.checksum.algorithm : algorithmNamed(algorithm),
    condition: writeCondition(headers, 'CopyObject'),
  });
  const xml = xmlDocument('CopyObjectResult', [
    element('LastModified', object.lastModified.toISOString()),
    element('ETag', object.etag),
    element('ChecksumType', object.checksum.type),
    element(checksumElement(object.checksum.algorithm), object.checksum.value),
  ]);
  return { xml };
}

function metadataOf(headers: Headers, original: StoredObject): ObjectMetadata {
  const given = objectMetadata(headers);
  switch (headers['x-amz-metadata-directive'] ?? 'COPY') {
    case 'COPY':
      return {
        contentType: original.contentType,
        // Encryption is not copied: the copy has the bucket's, or the one that the request asks for.
        metadata: { ...encryptionIn(original.metadata, false), ...encryptionIn(given.metadata, true) },
        storageClass: given.storageClass,
      };
    case 'REPLACE':
      return given;
    default:
      throw invalidArgument(
        'x-amz-metadata-directive',
        'Unknown metadata directive.',
        headers['x-amz-metadata-directive'],
      );
  }
}

function encryptionIn(metadata: ObjectMetadata['metadata'], wanted: boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => isEncryption(name) === wanted));
}

function changesObject(headers: Headers): boolean {
  if (headers['x-amz-metadata-directive'] === 'REPLACE') return true;
  return Object.keys(headers).some((name) => name === 'x-amz-storage-class' || isEncryption(name));
}
