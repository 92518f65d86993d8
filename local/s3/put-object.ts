/** PutObject: checks the body against its checksums and commits it atomically. */
import { DEFAULT_ALGORITHM } from './checksums';
import { writeCondition } from './conditions';
import type { S3Request } from './request';
import { requestBody } from './request-body';
import { knownHeaders, OBJECT_HEADERS, objectMetadata, WRITE_HEADERS } from './request-headers';
import type { DiskObjectStore, StoredObject } from './store';

export async function putObject(store: DiskObjectStore, request: S3Request): Promise<StoredObject> {
  const headers = knownHeaders(request, 'PutObject', [...WRITE_HEADERS, ...OBJECT_HEADERS]);
  const condition = writeCondition(headers, 'PutObject');
  const metadata = objectMetadata(headers);
  // Before the body is read, which may be large.
  store.beginWrite(request.bucket, request.key, condition);
  const { bytes, checksum = DEFAULT_ALGORITHM, ...checks } = requestBody(request, headers, 'PutObject');
  return store.put(request.bucket, request.key, bytes, { ...checks, ...metadata, checksum, condition });
}
