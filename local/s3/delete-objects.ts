/** DeleteObject and DeleteObjects. */
import { deleteCondition } from './conditions';
import { notImplemented, S3Error } from './errors';
import type { Answer, S3Service } from './operation';
import { malformed, fieldsOf, parseXml, type XmlElement } from './parse-xml';
import type { S3Request } from './request';
import { xmlBody } from './request-body';
import type { Headers } from './request-headers';
import type { DiskObjectStore } from './store';
import { element, xmlDocument } from './xml';

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
    throw new S3Error(
      'InvalidRequest',
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    );
  }
  const body = parseXml(await xmlBody(request, headers, 'DeleteObjects'), 'Delete');
  const objects = body.children.filter(({ name }) => name === 'Object');
  const others = body.children.filter(({ name }) => name !== 'Object');
  if (others.some(({ name }) => name !== 'Quiet') || objects.length === 0 || objects.length > MAX_OBJECTS) {
    malformed();
  }
  const quiet = others.some(({ text }) => text.trim() === 'true');
  const results: string[] = [];
  for (const deletion of objects.map(deletionOf)) {
    const error = await failureOf(store, request.bucket, deletion);
    if (error !== undefined) {
      const fields = [
        element('Key', deletion.key),
        element('Code', error.code),
        element('Message', error.message),
      ];
      results.push(`<Error>${fields.join('')}</Error>`);
    } else if (!quiet) results.push(`<Deleted>${element('Key', deletion.key)}</Deleted>`);
  }
  return { xml: xmlDocument('DeleteResult', results) };
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
