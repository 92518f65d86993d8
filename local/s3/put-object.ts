/** PutObject: checks the body against its checksums and commits it atomically. */
import type { S3Request } from './request';
import { requestBody } from './request-body';
import { knownHeaders, onlyIfAbsent, userMetadata } from './request-headers';
import type { DiskObjectStore, StoredObject } from './store';

export async function putObject(store: DiskObjectStore, request: S3Request): Promise<StoredObject> {
  const headers = knownHeaders(request, 'PutObject');
  const { bytes, ...checks } = requestBody(request, headers, 'PutObject');
  return store.put(request.bucket, request.key, bytes, {
    ...checks,
    onlyIfAbsent: onlyIfAbsent(headers, 'PutObject'),
    contentType: headers['content-type'],
    metadata: userMetadata(headers),
  });
}
