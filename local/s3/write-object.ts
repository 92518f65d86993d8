/** PutObject and DeleteObject. */
import { DEFAULT_ALGORITHM } from './checksums';
import { writeCondition } from './conditions';
import { notImplemented } from './errors';
import { objectMetadata, writtenHeaders } from './headers';
import type { Headers, S3Request } from './request';
import { requestBody } from './request-body';
import type { Answer, S3Service } from './service';

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

/** A key that does not exist may be deleted. */
export async function deleteObject(
  { store }: S3Service,
  { bucket, key }: S3Request,
  headers: Headers,
): Promise<Answer> {
  if (headers['if-match'] !== undefined) throw notImplemented('DeleteObject with If-Match');
  await store.delete(bucket, key);
  return { status: 204 };
}
