/** CopyObject, within this S3: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
import { algorithmNamed, checksumElement } from './checksums';
import { checkCopySource, writeCondition } from './conditions';
import { COPY_SOURCE_HEADERS, type CopySource } from './copy-source';
import { entityTooLarge, invalidArgument, S3Error } from './errors';
import { MAX_PUT_BYTES } from './request-body';
import type { S3Request } from './request';
import {
  type Headers,
  knownHeaders,
  OBJECT_HEADERS,
  type ObjectMetadata,
  objectMetadata,
} from './request-headers';
import type { DiskObjectStore, StoredObject } from './store';
import { element, xmlDocument } from './xml';

const OPERATION = 'CopyObject';

const OWN_HEADERS: readonly string[] = [
  ...OBJECT_HEADERS,
  ...COPY_SOURCE_HEADERS,
  'x-amz-checksum-algorithm',
  'x-amz-metadata-directive',
];

export async function copyObject(
  store: DiskObjectStore,
  source: CopySource,
  request: S3Request,
): Promise<{ readonly xml: string; readonly object: StoredObject }> {
  const headers = knownHeaders(request, OPERATION, OWN_HEADERS);
  store.checkBucket(request.bucket);
  const original = store.head(source.bucket, source.key);
  checkCopySource(headers, original);
  if (original.size > MAX_PUT_BYTES) throw entityTooLarge(original.size, MAX_PUT_BYTES);
  const metadata = metadataOf(headers, original);
  const onItself = source.bucket === request.bucket && source.key === request.key;
  if (onItself && !changesObject(headers)) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const algorithm = headers['x-amz-checksum-algorithm'];
  const object = await store.copy(original, request.bucket, request.key, {
    ...metadata,
    // A copy is one object without parts, so a composite checksum becomes one of the whole object.
    checksum: algorithm === undefined ? original.checksum.algorithm : algorithmNamed(algorithm),
    condition: writeCondition(headers, OPERATION),
  });
  const xml = xmlDocument('CopyObjectResult', [
    element('LastModified', object.lastModified.toISOString()),
    element('ETag', object.etag),
    element('ChecksumType', object.checksum.type),
    element(checksumElement(object.checksum.algorithm), object.checksum.value),
  ]);
  return { xml, object };
}

function metadataOf(headers: Headers, original: StoredObject): ObjectMetadata {
  const given = objectMetadata(headers);
  switch (headers['x-amz-metadata-directive'] ?? 'COPY') {
    case 'COPY':
      return {
        contentType: original.contentType,
        metadata: { ...withoutEncryption(original.metadata), ...onlyEncryption(given.metadata) },
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

/** Encryption is not copied: the copy has the bucket's, or the one that the request asks for. */
function withoutEncryption(metadata: ObjectMetadata['metadata']): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !isEncryption(name)));
}

function onlyEncryption(metadata: ObjectMetadata['metadata']): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => isEncryption(name)));
}

function isEncryption(header: string): boolean {
  return header.startsWith('x-amz-server-side-encryption');
}

function changesObject(headers: Headers): boolean {
  if (headers['x-amz-metadata-directive'] === 'REPLACE') return true;
  return Object.keys(headers).some((name) => name === 'x-amz-storage-class' || isEncryption(name));
}
