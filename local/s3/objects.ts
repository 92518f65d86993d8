/** PutObject and DeleteObject, and of a whole object or of one range of it GetObject and HeadObject. */
import * as fs from 'node:fs';
import type * as http from 'node:http';
import { promisify } from 'node:util';
import { release } from '../../lambda/store/release';
import { CHECKSUM_TYPE, checksumHeader, DEFAULT_ALGORITHM } from './checksums';
import { isUnmodified, writeCondition } from './conditions';
import { notImplemented, S3Error } from './errors';
import { describeObject, objectMetadata, writtenHeaders } from './headers';
import type { S3Request } from './request';
import { requestBody } from './request-body';
import { sendBody } from './send-body';
import type { Answer, S3Service } from './service';
import type { ByteRange } from './store';

export async function putObject({ store }: S3Service, request: S3Request): Promise<Answer> {
  const { bucket, key, headers } = request;
  const condition = writeCondition(headers, 'PutObject');
  const metadata = objectMetadata(headers);
  // Before the body is read, which may be large.
  store.checkWrite(bucket, key, condition);
  const { bytes, checksum = DEFAULT_ALGORITHM, ...checks } = requestBody(request, 'PutObject');
  const options = { ...checks, ...metadata, checksum, condition };
  return { headers: writtenHeaders(await store.put(bucket, key, bytes, options)) };
}

/** A key that does not exist may be deleted. */
export async function deleteObject({ store }: S3Service, request: S3Request): Promise<Answer> {
  const { bucket, key, headers } = request;
  if (headers['if-match'] !== undefined) throw notImplemented('DeleteObject with If-Match');
  await store.delete(bucket, key);
  return { status: 204 };
}

export async function getObject(
  { store }: S3Service,
  request: S3Request,
  response: http.ServerResponse,
): Promise<Answer | undefined> {
  const object = store.head(request.bucket, request.key);
  if (isUnmodified(request.headers, object)) {
    const headers = { ETag: object.etag, 'Last-Modified': object.lastModified.toUTCString() };
    return { status: 304, headers };
  }
  const header = request.headers.range;
  const range = header === undefined ? undefined : parseRange(header, object.size);
  const headers: http.OutgoingHttpHeaders = {
    ...describeObject(object),
    'Content-Length': range === undefined ? object.size : range.last - range.first + 1,
  };
  if (range !== undefined) headers['Content-Range'] = `bytes ${range.first}-${range.last}/${object.size}`;
  // The checksum covers the whole object, so S3 omits it from the response to a range.
  if (range === undefined && request.headers['x-amz-checksum-mode'] === 'ENABLED') {
    headers[checksumHeader(object.checksum.algorithm)] = object.checksum.value;
    headers['x-amz-checksum-type'] = CHECKSUM_TYPE;
  }

  const status = range === undefined ? 200 : 206;
  if (request.method === 'HEAD') return { status, headers };
  // Before the file is opened, because it may throw.
  response.writeHead(status, headers);
  const { first, last } = range ?? { first: 0, last: object.size - 1 };
  const chunks = chunksOf(store.open(object), { first, last });
  const altered = request.alterAnswer?.(chunks, last - first + 1) ?? chunks;
  await sendBody(response, altered, request.caller.traffic);
  return undefined;
}

/** Servers ignore a header that is no range of bytes: https://www.rfc-editor.org/rfc/rfc9110#section-14.2 */
function parseRange(header: string, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (match === null) {
    if (/^bytes=[\d-]+(,\s*[\d-]+)+$/.test(header.trim())) {
      throw notImplemented(`several ranges in one request ('${header}')`);
    }
    return undefined;
  }
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return undefined;
  if (from !== '' && to !== '' && Number(from) > Number(to)) return undefined;

  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (first <= last) return { first, last };
  throw new S3Error('InvalidRange', undefined, { RangeRequested: header, ActualObjectSize: size });
}

/** Bytes per read. Each read costs a switch between threads. */
const READ_BYTES = 1024 * 1024;

/**
 * Sent alone after all others. When the end arrives, the client may send its next request, and Node.js breaks a connection whose
 * next request arrives while more than its buffer of 16 KiB waits to be sent: `Parse Error: Paused`.
 */
const TAIL_BYTES = 1024;

const readFile = promisify(fs.read);

/** `last` is before `first` if the object is empty. Reads into one buffer, so that large objects leave no garbage in memory. Closes the descriptor. */
async function* chunksOf(descriptor: number, { first, last }: ByteRange): AsyncGenerator<Buffer, void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, last - first + 1));
  try {
    for (let position = first; position <= last;) {
      const wanted = Math.min(buffer.byteLength, last - position + 1);
      const { bytesRead } = await readFile(descriptor, buffer, 0, wanted, position);
      if (bytesRead === 0) throw new Error('the file of an object is shorter than when it was stored');
      position += bytesRead;
      const isEnd = position > last;
      const tailAt = isEnd ? Math.max(0, bytesRead - TAIL_BYTES) : bytesRead;
      if (tailAt > 0) yield buffer.subarray(0, tailAt);
      if (isEnd) yield buffer.subarray(tailAt, bytesRead);
    }
    // Do not release the buffer after a failed write: the system may still use it.
    release(buffer);
  } finally {
    fs.closeSync(descriptor);
  }
}
