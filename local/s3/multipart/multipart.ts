/** The operations on multipart uploads of an object, recognized by `uploads` or `uploadId` in the query. */
import type * as http from 'node:http';
import { completeMultipartUpload } from './complete-multipart-upload';
import { notImplemented, S3Error } from '../errors';
import { LIST_PARTS_QUERY, listParts } from './list-multipart';
import type { MultipartUpload, MultipartUploads, StoredPart } from './multipart-uploads';
import { wholeNumberParameter } from '../paging';
import { allowQuery, operationName, type S3Request } from '../request';
import { requestBody } from '../request-body';
import { type Headers, knownHeaders, userMetadata } from '../request-headers';
import type { ChecksumType } from '../store';
import { element, xmlDocument } from '../xml';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;

export function isMultipart({ query }: S3Request): boolean {
  return query.has('uploads') || query.has('uploadId');
}

export async function operateMultipart(
  uploads: MultipartUploads,
  request: S3Request,
  response: http.ServerResponse,
): Promise<void> {
  const answerXml = (xml: string): void => {
    response.writeHead(200, { 'Content-Type': 'application/xml' }).end(xml);
  };
  if (request.query.has('uploads')) {
    allowQuery(request, ['uploads']);
    if (request.method !== 'POST') throw notImplemented(operationName(request));
    answerXml(createMultipartUpload(uploads, request));
    return;
  }
  const upload = uploads.find(request.bucket, request.key, request.query.get('uploadId') ?? '');
  switch (request.method) {
    case 'PUT': {
      allowQuery(request, ['uploadId', 'partNumber']);
      const part = await uploadPart(uploads, upload, request);
      response.writeHead(200, { ETag: part.etag, 'x-amz-checksum-crc32': part.crc32 }).end();
      return;
    }
    case 'GET':
      allowQuery(request, LIST_PARTS_QUERY);
      answerXml(listParts(uploads, upload, request));
      return;
    case 'POST':
      allowQuery(request, ['uploadId']);
      answerXml(await completeMultipartUpload(uploads, upload, request));
      return;
    case 'DELETE':
      allowQuery(request, ['uploadId']);
      await uploads.abort(upload);
      response.writeHead(204).end();
      return;
    default:
      throw notImplemented(operationName(request));
  }
}

function createMultipartUpload(uploads: MultipartUploads, request: S3Request): string {
  const own = ['x-amz-checksum-algorithm', 'x-amz-checksum-type'];
  const headers = knownHeaders(request, 'CreateMultipartUpload', own);
  const upload = uploads.create(request.bucket, request.key, {
    contentType: headers['content-type'],
    metadata: userMetadata(headers),
    checksumType: checksumType(headers),
  });
  return xmlDocument('InitiateMultipartUploadResult', [
    element('Bucket', upload.bucket),
    element('Key', upload.key),
    element('UploadId', upload.id),
  ]);
}

function checksumType(headers: Headers): ChecksumType | undefined {
  const algorithm = headers['x-amz-checksum-algorithm'];
  const type = headers['x-amz-checksum-type'];
  if (algorithm === undefined) {
    if (type === undefined) return undefined;
    throw new S3Error('InvalidRequest', 'x-amz-checksum-type needs x-amz-checksum-algorithm');
  }
  if (algorithm !== 'CRC32') throw notImplemented(`CreateMultipartUpload with the checksum ${algorithm}`);
  if (type === undefined || type === 'COMPOSITE') return 'COMPOSITE';
  if (type === 'FULL_OBJECT') return type;
  throw new S3Error('InvalidRequest', `the checksum type must be COMPOSITE or FULL_OBJECT, got '${type}'`);
}

async function uploadPart(
  uploads: MultipartUploads,
  upload: MultipartUpload,
  request: S3Request,
): Promise<StoredPart> {
  const headers = knownHeaders(request, 'UploadPart');
  const number = wholeNumberParameter(request.query, 'partNumber') ?? 0;
  if (number < 1 || number > MAX_PARTS) {
    throw new S3Error('InvalidArgument', `the part number must be from 1 to ${MAX_PARTS}, got ${number}`);
  }
  const { bytes, ...checks } = requestBody(request, headers, 'UploadPart');
  checkPartChecksum(upload, checks.algorithms);
  return uploads.addPart(upload, number, bytes, checks);
}

/** A part must have a checksum of the upload's algorithm. With the type FULL_OBJECT, a part may have none. */
function checkPartChecksum({ checksumType }: MultipartUpload, algorithms: readonly string[]): void {
  if (checksumType === undefined) return;
  const sent = algorithms.filter((algorithm) => algorithm !== 'md5');
  if (sent.length === 0 ? checksumType === 'FULL_OBJECT' : sent.every((name) => name === 'crc32')) return;
  throw new S3Error(
    'InvalidRequest',
    `a part must have a CRC32, because the upload began with CRC32, got ${sent.join() || 'no checksum'}`,
  );
}
