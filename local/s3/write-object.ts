/** PutObject, CopyObject within this S3, DeleteObject and DeleteObjects. */
import { algorithmNamed, checksumElement, DEFAULT_ALGORITHM } from './checksums';
import { checkCopySource, deleteCondition, writeCondition } from './conditions';
import { entityTooLarge, invalidArgument, invalidRequest, notImplemented, S3Error } from './errors';
import { isEncryption, objectMetadata, writtenHeaders } from './headers';
import type { Answer, S3Service } from './operation';
import type { Headers, S3Request } from './request';
import { MAX_PUT_BYTES, requestBody, xmlBody } from './request-body';
import type { DiskObjectStore, ObjectMetadata, StoredObject } from './store';
import { fieldsOf, malformed, parseXml, xmlDocument, type XmlElement, type XmlFields } from './xml';

export async function putObject({ store }: S3Service, request: S3Request, headers: Headers): Promise<Answer> {
  const { bucket, key } = request;
  const condition = writeCondition(headers, 'PutObject');
  const metadata = objectMetadata(headers);
  // Before the body is read, which may be large.
  store.beginWrite(bucket, key, condition);
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
  checkCopySource(headers, original);
  if (original.size > MAX_PUT_BYTES) throw entityTooLarge(original.size, MAX_PUT_BYTES);
  const metadata = metadataOf(headers, original);
  const changes =
    headers['x-amz-metadata-directive'] === 'REPLACE' ||
    Object.keys(headers).some((name) => name === 'x-amz-storage-class' || isEncryption(name));
  if (source.bucket === bucket && source.key === key && !changes) {
    throw invalidRequest(
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
  const xml = xmlDocument('CopyObjectResult', {
    LastModified: object.lastModified.toISOString(),
    ETag: object.etag,
    ChecksumType: object.checksum.type,
    [checksumElement(object.checksum.algorithm)]: object.checksum.value,
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

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
const MAX_OBJECTS = 1000;

/** A key that does not exist may be deleted. With `If-Match`, only the named version is, or with `*` any. */
export async function deleteObject(
  { store }: S3Service,
  { bucket, key }: S3Request,
  headers: Headers,
): Promise<Answer> {
  await store.delete(bucket, key, deleteCondition(headers));
  return { status: 204 };
}

interface Deletion {
  readonly key: string;
  readonly etag?: string;
}

export async function deleteObjects(
  { store }: S3Service,
  request: S3Request,
  headers: Headers,
): Promise<Answer> {
  store.checkBucket(request.bucket);
  const hasChecksum = Object.keys(headers).some(
    (name) => name === 'content-md5' || name === 'x-amz-trailer' || name.startsWith('x-amz-checksum-'),
  );
  if (!hasChecksum) {
    throw invalidRequest('Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
  }
  const body = parseXml(await xmlBody(request, headers, 'DeleteObjects'), 'Delete');
  const objects = body.children.filter(({ name }) => name === 'Object');
  const others = body.children.filter(({ name }) => name !== 'Object');
  if (others.some(({ name }) => name !== 'Quiet') || objects.length === 0 || objects.length > MAX_OBJECTS) {
    malformed();
  }
  const quiet = others.some(({ text }) => text.trim() === 'true');
  const failed: XmlFields[] = [];
  const deleted: XmlFields[] = [];
  for (const deletion of objects.map(deletionOf)) {
    const error = await failureOf(store, request.bucket, deletion);
    if (error === undefined) deleted.push({ Key: deletion.key });
    else failed.push({ Key: deletion.key, Code: error.code, Message: error.message });
  }
  return { xml: xmlDocument('DeleteResult', { Deleted: quiet ? [] : deleted, Error: failed }) };
}

function deletionOf(object: XmlElement): Deletion {
  const fields = fieldsOf(object);
  for (const name of fields.keys()) {
    if (name !== 'Key' && name !== 'ETag') throw notImplemented(`DeleteObjects with ${name} of an object`);
  }
  const key = fields.get('Key') ?? malformed();
  const etag = fields.get('ETag');
  return { key, ...(etag !== undefined && { etag }) };
}

async function failureOf(
  store: DiskObjectStore,
  bucket: string,
  { key, etag }: Deletion,
): Promise<S3Error | undefined> {
  try {
    const condition = etag === undefined ? undefined : { ifAbsent: false, ifMatch: etag };
    await store.delete(bucket, key, condition);
    return undefined;
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
}
