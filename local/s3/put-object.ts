/** PutObject: checks the body against its checksums and commits it atomically. */
import { DEFAULT_ALGORITHM } from './checksums';
import { writeCondition } from './conditions';
import { writtenHeaders } from './object-headers';
import type { Answer, S3Service } from './operation';
import type { S3Request } from './request';
import { requestBody } from './request-body';
import { type Headers, objectMetadata } from './request-headers';

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
