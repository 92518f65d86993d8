/** GetObject and HeadObject: a whole object or one range of it. */
import type * as http from 'node:http';
import { notImplemented, S3Error } from './errors';
import { parseRange } from './range';
import type { S3Request } from './request';
import { sendFile } from './send-file';
import type { DiskObjectStore, StoredObject } from './store';

const UNKNOWN_HEADERS = ['if-none-match', 'if-modified-since', 'if-unmodified-since'] as const;

export async function getObject(
  store: DiskObjectStore,
  request: S3Request,
  response: http.ServerResponse,
): Promise<void> {
  const object = store.head(request.bucket, request.key);
  checkPreconditions(object, request);
  const range =
    request.headers.range === undefined ? undefined : parseRange(request.headers.range, object.size);
  const headers: http.OutgoingHttpHeaders = {
    ...describe(object),
    'Content-Length': range === undefined ? object.size : range.last - range.first + 1,
  };
  if (range !== undefined) headers['Content-Range'] = `bytes ${range.first}-${range.last}/${object.size}`;
  // The checksum covers the whole object, so S3 omits it from the response to a range.
  else if (request.headers['x-amz-checksum-mode'] === 'ENABLED') {
    headers['x-amz-checksum-crc32'] = object.crc32.value;
    headers['x-amz-checksum-type'] = object.crc32.type;
  }

  const status = range === undefined ? 200 : 206;
  if (request.method === 'HEAD') {
    response.writeHead(status, headers).end();
    return;
  }
  const descriptor = store.open(object);
  response.writeHead(status, headers);
  await sendFile(descriptor, range ?? { first: 0, last: object.size - 1 }, response, request.traffic);
}

function checkPreconditions(object: StoredObject, request: S3Request): void {
  for (const name of UNKNOWN_HEADERS) {
    if (request.headers[name] !== undefined) throw notImplemented(`GetObject with the header ${name}`);
  }
  const ifMatch = request.headers['if-match'];
  if (ifMatch === undefined || ifMatch === object.etag || `"${ifMatch}"` === object.etag) return;
  throw new S3Error('PreconditionFailed', `expected the ETag ${ifMatch}, got ${object.etag}`);
}

function describe(object: StoredObject): http.OutgoingHttpHeaders {
  return {
    ...object.metadata,
    ETag: object.etag,
    'Accept-Ranges': 'bytes',
    'Content-Type': object.contentType,
    'Last-Modified': object.lastModified.toUTCString(),
  };
}
