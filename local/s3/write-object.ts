/** PutObject, CopyObject within this S3, and DeleteObject. */
import { algorithmNamed, checksumElement, DEFAULT_ALGORITHM } from './checksums';
import { checkRead, writeCondition } from './conditions';
import { entityTooLarge, invalidArgument, invalidRequest } from './errors';
import { isEncryption, objectMetadata, writtenHeaders } from './headers';
import type { Headers, S3Request } from './request';
import { MAX_PUT_BYTES, requestBody } from './request-body';
import type { Answer, S3Service } from './service';
import type { ObjectMetadata, StoredObject } from './store';
import { xmlDocument } from './xml';

export async function putObject({ store }: S3Service, request: S3Request, headers: Headers): Promise<Answer> {
  const { bucket, key } = request;
  const condition = writeCondition(headers, 'PutObject');
  const metadata = objectMetadata(headers);
  // Before the body is read, which may be large.
  store.checkWrite(bucket, key, condition);
  const { bytes, checksum = DEFAULT_ALGORITHM, ...checks } = requestBody(request, headers, 'PutObject');
  const options = { ...checks, ...metadata, checksum, condition };
  return { headers: writtenHeaders(await store.put(bucket, key, bytes, options)) };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export async function copyObject(
  { store }: S3Service,
  { bucket, key, copySource: source = { bucket, key } }: S3Request,
  headers: Headers,
): Promise<Answer> {
  store.checkBucket(bucket);
  const original = store.head(source.bucket, source.key);
  checkRead(headers, original, 'x-amz-copy-source-');
  if (original.size > MAX_PUT_BYTES) throw entityTooLarge(original.size, MAX_PUT_BYTES);
  const metadata = metadataOf(headers, original);
  const changes =
    headers['x-amz-metadata-directive'] === 'REPLACE' || Object.keys(headers).some(isEncryption);
  if (source.bucket === bucket && source.key === key && !changes) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const algorithm = headers['x-amz-checksum-algorithm'];
  const condition = writeCondition(headers, 'CopyObject');
  store.checkWrite(bucket, key, condition);
  const checksum = algorithm === undefined ? original.checksum.algorithm : algorithmNamed(algorithm);
  const options = { ...metadata, checksum, condition, reason: 'CopyObject' } as const;
  const object = await store.put(bucket, key, store.read(original), options);
  const xml = xmlDocument('CopyObjectResult', {
    LastModified: object.lastModified.toISOString(),
    ETag: object.etag,
    ...checksumElement(object.checksum),
  });
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

/** A key that does not exist may be deleted. With `If-Match`, only the named version is, or with `*` any. */
export async function deleteObject(
  { store }: S3Service,
  { bucket, key }: S3Request,
  headers: Headers,
): Promise<Answer> {
  await store.delete(bucket, key, writeCondition(headers, 'DeleteObject'));
  return { status: 204 };
}
