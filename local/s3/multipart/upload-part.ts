/** CreateMultipartUpload, UploadPart, UploadPartCopy and AbortMultipartUpload. */
import {
  algorithmNamed,
  type ChecksumAlgorithm,
  checksumElement,
  checksumHeader,
  type ChecksumType,
} from '../checksums';
import { checkCopySource } from '../conditions';
import { entityTooLarge, invalidArgument, invalidRequest } from '../errors';
import { encryptionHeaders, objectMetadata } from '../headers';
import type { Answer, S3Service } from '../operation';
import { type Headers, partNumber, type S3Request } from '../request';
import { MAX_PUT_BYTES, requestBody } from '../request-body';
import type { ByteRange } from '../store';
import { xmlDocument } from '../xml';
import type { MultipartUpload, UploadChecksum } from './multipart-uploads';

export function createMultipartUpload({ uploads }: S3Service, request: S3Request, headers: Headers): Answer {
  const checksum = uploadChecksum(headers);
  const upload = uploads.create(request.bucket, request.key, {
    ...objectMetadata(headers),
    ...(checksum && { checksum }),
  });
  const xml = xmlDocument('InitiateMultipartUploadResult', {
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.id,
  });
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

/** The default first: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
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
    throw invalidRequest(
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  }
  const algorithm = algorithmNamed(name);
  const [standard = 'FULL_OBJECT'] = TYPES[algorithm];
  const type = TYPES[algorithm].find((known) => known === (wanted ?? standard));
  if (type !== undefined) return { algorithm, type };
  if (wanted !== 'FULL_OBJECT' && wanted !== 'COMPOSITE') {
    throw invalidRequest('Value for x-amz-checksum-type header is invalid.');
  }
  throw invalidRequest(
    `The ${wanted} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
  );
}

export async function abortMultipartUpload({ uploads }: S3Service, request: S3Request): Promise<Answer> {
  await uploads.abort(uploads.of(request));
  return { status: 204 };
}

const RANGE = 'x-amz-copy-source-range';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export async function uploadPart(
  { uploads }: S3Service,
  request: S3Request,
  headers: Headers,
): Promise<Answer> {
  const upload = uploads.of(request);
  const number = partNumber(request.query);
  const { bytes, checksum: sent, ...checks } = requestBody(request, headers, 'UploadPart');
  checkAlgorithm(upload, sent);
  const { etag, checksum } = await uploads.addPart(upload, number, bytes, checks, sent);
  return {
    headers: { ETag: etag, ...(checksum && { [checksumHeader(checksum.algorithm)]: checksum.value }) },
  };
}

export async function uploadPartCopy(
  { store, uploads }: S3Service,
  request: S3Request,
  headers: Headers,
): Promise<Answer> {
  const upload = uploads.of(request);
  const { query, copySource: source = request } = request;
  const number = partNumber(query);
  const original = store.head(source.bucket, source.key);
  checkCopySource(headers, original);
  const range = copyRange(headers[RANGE], original.size);
  const size = range === undefined ? original.size : range.last - range.first + 1;
  if (size > MAX_PUT_BYTES) throw entityTooLarge(size, MAX_PUT_BYTES);
  const part = await uploads.addPart(upload, number, store.read(original, range), {});
  const xml = xmlDocument('CopyPartResult', {
    LastModified: part.lastModified.toISOString(),
    ETag: part.etag,
    ...(part.checksum && { [checksumElement(part.checksum.algorithm)]: part.checksum.value }),
  });
  return { xml };
}

/**
 * With the type FULL_OBJECT, a part may have no checksum. If the upload began without an algorithm, S3 accepts any: the SDK for
 * JavaScript sends CRC32s then. Reports of its users say so; the documentation is silent.
 */
function checkAlgorithm({ checksum }: MultipartUpload, sent: ChecksumAlgorithm | undefined): void {
  if (checksum === undefined || sent === checksum.algorithm) return;
  if (sent === undefined && checksum.type === 'FULL_OBJECT') return;
  throw invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm}, actual checksum Type: ${sent ?? 'null'}`,
  );
}

function copyRange(header: string | undefined, size: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? [];
  const range = { first: Number(first), last: Number(last) };
  // NaN for a header of another form.
  if (range.first <= range.last && range.last < size) return range;
  throw invalidArgument(
    RANGE,
    'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    header,
  );
}
