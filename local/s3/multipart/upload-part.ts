/** UploadPart and UploadPartCopy: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
import type * as http from 'node:http';
import { checksumElement, checksumHeader, type ChecksumAlgorithm } from '../checksums';
import { checkCopySource } from '../conditions';
import { COPY_SOURCE_HEADERS, type CopySource } from '../copy-source';
import { entityTooLarge, invalidArgument, S3Error } from '../errors';
import type { MultipartUpload, MultipartUploads, StoredPart } from './multipart-uploads';
import { wholeNumberParameter } from '../paging';
import type { S3Request } from '../request';
import { MAX_PUT_BYTES, requestBody } from '../request-body';
import { knownHeaders, WRITE_HEADERS } from '../request-headers';
import type { DiskObjectStore } from '../store';
import { element, xmlDocument } from '../xml';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;

const RANGE = 'x-amz-copy-source-range';

export async function uploadPart(
  uploads: MultipartUploads,
  upload: MultipartUpload,
  request: S3Request,
): Promise<StoredPart> {
  const headers = knownHeaders(request, 'UploadPart', WRITE_HEADERS);
  const number = partNumber(request);
  const { bytes, checksum, ...checks } = requestBody(request, headers, 'UploadPart');
  checkAlgorithm(upload, checksum);
  return uploads.addPart(upload, number, bytes, checks, checksum);
}

/** Copies an object of this S3, or a range of it, into a part. */
export async function uploadPartCopy(
  store: DiskObjectStore,
  uploads: MultipartUploads,
  upload: MultipartUpload,
  source: CopySource,
  request: S3Request,
): Promise<string> {
  const headers = knownHeaders(request, 'UploadPartCopy', [...COPY_SOURCE_HEADERS, RANGE]);
  const number = partNumber(request);
  const original = store.head(source.bucket, source.key);
  checkCopySource(headers, original);
  const range = copyRange(headers[RANGE], original.size);
  const size = range === undefined ? original.size : range.last - range.first + 1;
  if (size > MAX_PUT_BYTES) throw entityTooLarge(size, MAX_PUT_BYTES);
  const part = await uploads.addPart(upload, number, store.read(original, range), {});
  return xmlDocument('CopyPartResult', [
    element('LastModified', part.lastModified.toISOString()),
    element('ETag', part.etag),
    part.checksum === undefined ? '' : element(checksumElement(part.checksum.algorithm), part.checksum.value),
  ]);
}

export function partHeaders({ etag, checksum }: StoredPart): http.OutgoingHttpHeaders {
  return { ETag: etag, ...(checksum && { [checksumHeader(checksum.algorithm)]: checksum.value }) };
}

function partNumber({ query }: S3Request): number {
  const number = wholeNumberParameter(query, 'partNumber') ?? 0;
  if (number >= 1 && number <= MAX_PARTS) return number;
  throw invalidArgument(
    'partNumber',
    `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
    query.get('partNumber') ?? '',
  );
}

/**
 * A part must have a checksum of the upload's algorithm. With the type FULL_OBJECT, a part may have none. If the upload began
 * without an algorithm, S3 accepts any: the SDK for JavaScript sends CRC32s then. We believe so from reports of its users,
 * because the documentation is silent.
 */
function checkAlgorithm({ checksum }: MultipartUpload, sent: ChecksumAlgorithm | undefined): void {
  if (checksum === undefined || sent === checksum.algorithm) return;
  if (sent === undefined && checksum.type === 'FULL_OBJECT') return;
  throw new S3Error(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm}, actual checksum Type: ${sent ?? 'null'}`,
  );
}

function copyRange(
  header: string | undefined,
  size: number,
): { readonly first: number; readonly last: number } | undefined {
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
