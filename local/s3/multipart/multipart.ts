/** The operations on multipart uploads of an object but for listing them, recognized by `uploads` or `uploadId` in the query. */
import type * as http from 'node:http';
import { completeMultipartUpload } from './complete-multipart-upload';
import { algorithmNamed, type ChecksumAlgorithm, type ChecksumType } from '../checksums';
import { notImplemented, S3Error } from '../errors';
import type { MultipartUploads, UploadChecksum } from './multipart-uploads';
import { encryptionHeaders } from '../object-headers';
import { allowQuery, operationName, type S3Request } from '../request';
import { type Headers, knownHeaders, OBJECT_HEADERS, objectMetadata } from '../request-headers';
import type { DiskObjectStore } from '../store';
import { partHeaders, uploadPart, uploadPartCopy } from './upload-part';
import { element, xmlDocument } from '../xml';

export function isMultipart({ query }: S3Request): boolean {
  return query.has('uploads') || query.has('uploadId');
}

export async function operateMultipart(
  store: DiskObjectStore,
  uploads: MultipartUploads,
  request: S3Request,
  response: http.ServerResponse,
): Promise<void> {
  const answerXml = (xml: string, headers: http.OutgoingHttpHeaders = {}): void => {
    response.writeHead(200, { 'Content-Type': 'application/xml', ...headers }).end(xml);
  };
  if (request.query.has('uploads')) {
    allowQuery(request, ['uploads']);
    if (request.method !== 'POST') throw notImplemented(operationName(request));
    const { xml, headers } = createMultipartUpload(uploads, request);
    answerXml(xml, headers);
    return;
  }
  const upload = uploads.find(request.bucket, request.key, request.query.get('uploadId') ?? '');
  switch (request.method) {
    case 'PUT': {
      allowQuery(request, ['uploadId', 'partNumber']);
      if (request.copySource !== undefined) {
        answerXml(await uploadPartCopy(store, uploads, upload, request.copySource, request));
        return;
      }
      const part = await uploadPart(uploads, upload, request);
      response.writeHead(200, partHeaders(part)).end();
      return;
    }
    case 'POST':
      allowQuery(request, ['uploadId']);
      answerXml((await completeMultipartUpload(uploads, upload, request)).xml);
      return;
    case 'DELETE':
      allowQuery(request, ['uploadId']);
      knownHeaders(request, 'AbortMultipartUpload');
      await uploads.abort(upload);
      response.writeHead(204).end();
      return;
    default:
      throw notImplemented(operationName(request));
  }
}

function createMultipartUpload(
  uploads: MultipartUploads,
  request: S3Request,
): { readonly xml: string; readonly headers: http.OutgoingHttpHeaders } {
  const own = ['x-amz-checksum-algorithm', 'x-amz-checksum-type', ...OBJECT_HEADERS];
  const headers = knownHeaders(request, 'CreateMultipartUpload', own);
  const checksum = uploadChecksum(headers);
  const upload = uploads.create(request.bucket, request.key, {
    ...objectMetadata(headers),
    ...(checksum && { checksum }),
  });
  const xml = xmlDocument('InitiateMultipartUploadResult', [
    element('Bucket', upload.bucket),
    element('Key', upload.key),
    element('UploadId', upload.id),
  ]);
  return {
    xml,
    headers: {
      ...encryptionHeaders(upload),
      ...(checksum && {
        'x-amz-checksum-algorithm': checksum.algorithm.toUpperCase(),
        'x-amz-checksum-type': checksum.type,
      }),
    },
  };
}

/**
 * Types of the checksums that an upload in parts may have, the default first.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
const TYPES: Readonly<Record<ChecksumAlgorithm, readonly ChecksumType[]>> = {
  crc32: ['COMPOSITE', 'FULL_OBJECT'],
  crc32c: ['COMPOSITE', 'FULL_OBJECT'],
  crc64nvme: ['FULL_OBJECT'],
  md5: ['COMPOSITE'],
  sha1: ['COMPOSITE'],
  sha256: ['COMPOSITE'],
  sha512: ['COMPOSITE'],
};

function uploadChecksum(headers: Headers): UploadChecksum | undefined {
  const name = headers['x-amz-checksum-algorithm'];
  const wanted = headers['x-amz-checksum-type'];
  if (name === undefined) {
    if (wanted === undefined) return undefined;
    throw new S3Error(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  }
  const algorithm = algorithmNamed(name);
  const [standard = 'FULL_OBJECT'] = TYPES[algorithm];
  const type = TYPES[algorithm].find((known) => known === (wanted ?? standard));
  if (type !== undefined) return { algorithm, type };
  if (wanted !== 'FULL_OBJECT' && wanted !== 'COMPOSITE') {
    throw new S3Error('InvalidRequest', 'Value for x-amz-checksum-type header is invalid.');
  }
  throw new S3Error(
    'InvalidRequest',
    `The ${wanted} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
  );
}
