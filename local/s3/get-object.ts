/** GetObject and HeadObject: a whole object, one range of it, or one part. GetObjectTagging. */
import type * as http from 'node:http';
import { checksumHeader } from './checksums';
import { checkRead } from './conditions';
import { S3Error } from './errors';
import { describeObject } from './object-headers';
import type { Answer, S3Service } from './operation';
import { partNumber } from './paging';
import { type ByteRange, parseRange } from './range';
import { checkedHeader, type S3Request } from './request';
import type { Headers } from './request-headers';
import { sendFile } from './send-file';
import type { StoredObject } from './store';
import { xmlDocument } from './xml';

/** Parameters that replace headers of the response: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
const OVERRIDES: Readonly<Record<string, string>> = {
  'response-cache-control': 'cache-control',
  'response-content-disposition': 'content-disposition',
  'response-content-encoding': 'content-encoding',
  'response-content-language': 'content-language',
  'response-content-type': 'Content-Type',
  'response-expires': 'expires',
};

export const GET_QUERY: readonly string[] = ['partNumber', ...Object.keys(OVERRIDES)];

export async function getObject(
  { store }: S3Service,
  request: S3Request,
  _headers: Headers,
  response: http.ServerResponse,
): Promise<Answer | undefined> {
  const object = store.head(request.bucket, request.key);
  try {
    checkRead(request.headers, object);
  } catch (error) {
    if (!(error instanceof S3Error && error.code === 'NotModified')) throw error;
    const headers = { ETag: object.etag, 'Last-Modified': object.lastModified.toUTCString() };
    return { status: 304, headers };
  }
  const range = rangeOf(request, object);
  const headers: http.OutgoingHttpHeaders = {
    ...describeObject(request.bucket, object),
    ...overrides(request.query),
    'Content-Length': range === undefined ? object.size : range.last - range.first + 1,
  };
  if (range !== undefined) headers['Content-Range'] = `bytes ${range.first}-${range.last}/${object.size}`;
  if (request.query.has('partNumber') && object.parts) headers['x-amz-mp-parts-count'] = object.parts.length;
  // The checksum covers the whole object, so S3 omits it from the response to a range.
  if (range === undefined && request.headers['x-amz-checksum-mode'] === 'ENABLED') {
    headers[checksumHeader(object.checksum.algorithm)] = object.checksum.value;
    headers['x-amz-checksum-type'] = object.checksum.type;
  }

  const status = range === undefined ? 200 : 206;
  if (request.method === 'HEAD') return { status, headers };
  // Before the file is opened, because it may throw.
  response.writeHead(status, headers);
  const descriptor = store.open(object);
  await sendFile(descriptor, range ?? { first: 0, last: object.size - 1 }, response, request.traffic);
  return undefined;
}

/** No operation here sets tags, so no object has any. `aws s3 cp` asks before it copies a large object. */
export function getObjectTagging({ store }: S3Service, { bucket, key }: S3Request): Answer {
  store.head(bucket, key);
  return { xml: xmlDocument('Tagging', ['<TagSet></TagSet>']) };
}

function overrides(query: URLSearchParams): http.OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(OVERRIDES).flatMap(([parameter, header]) => {
      const value = query.get(parameter);
      return value === null ? [] : [[header, checkedHeader(parameter, value)]];
    }),
  );
}

function rangeOf({ headers, query }: S3Request, object: StoredObject): ByteRange | undefined {
  const part = query.get('partNumber');
  if (part === null) return headers.range === undefined ? undefined : parseRange(headers.range, object.size);
  if (headers.range !== undefined) {
    throw new S3Error('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
  }
  return partRange(object, partNumber(query));
}

/** The parts of a multipart object by their order, because S3 numbers them anew. An object that is not one has one part. */
function partRange({ size, parts }: StoredObject, number: number): ByteRange | undefined {
  const sizes = parts?.map((part) => part.size) ?? [size];
  if (number > sizes.length) {
    throw new S3Error('InvalidPartNumber', undefined, {
      ActualPartCount: sizes.length,
      PartNumberRequested: number,
    });
  }
  if (size === 0) return undefined;
  const first = sizes.slice(0, number - 1).reduce((sum, each) => sum + each, 0);
  return { first, last: first + sizes[number - 1] - 1 };
}
