/** ListParts and ListMultipartUploads, page by page. Delimiters are not supported. */
import { checksumElement } from '../checksums';
import { storageClassOf } from '../object-headers';
import type { MultipartUpload, MultipartUploads, StoredPart } from './multipart-uploads';
import { pageSize, wholeNumberParameter } from '../paging';
import type { S3Request } from '../request';
import { compareKeys } from '../store';
import { element, xmlDocument } from '../xml';

export const LIST_PARTS_QUERY = ['uploadId', 'part-number-marker', 'max-parts'] as const;
export const LIST_UPLOADS_QUERY = [
  'uploads',
  'prefix',
  'key-marker',
  'upload-id-marker',
  'max-uploads',
] as const;

export function listParts(uploads: MultipartUploads, upload: MultipartUpload, { query }: S3Request): string {
  const marker = wholeNumberParameter(query, 'part-number-marker') ?? 0;
  const maxParts = pageSize(query, 'max-parts');
  const all = uploads.parts(upload).filter(({ number }) => number > marker);
  const page = all.slice(0, maxParts);
  const last = page.at(-1);
  const truncated = last !== undefined && page.length < all.length;
  return xmlDocument('ListPartsResult', [
    element('Bucket', upload.bucket),
    element('Key', upload.key),
    element('UploadId', upload.id),
    element('PartNumberMarker', marker),
    element('NextPartNumberMarker', truncated ? last.number : undefined),
    element('MaxParts', maxParts),
    element('IsTruncated', truncated),
    ...checksumFields(upload),
    ...page.map((part) => partElement(part, upload)),
    element('StorageClass', storageClassOf(upload.bucket, upload)),
  ]);
}

export function listMultipartUploads(uploads: MultipartUploads, { bucket, query }: S3Request): string {
  const prefix = query.get('prefix') ?? '';
  const maxUploads = pageSize(query, 'max-uploads');
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const all = uploads
    .list(bucket)
    .filter(({ key }) => key.startsWith(prefix))
    .filter((upload) => isAfter(upload, keyMarker, idMarker));
  const page = all.slice(0, maxUploads);
  const last = page.at(-1);
  const truncated = last !== undefined && page.length < all.length;
  return xmlDocument('ListMultipartUploadsResult', [
    element('Bucket', bucket),
    element('Prefix', prefix),
    element('KeyMarker', keyMarker),
    element('UploadIdMarker', idMarker),
    element('NextKeyMarker', truncated ? last.key : undefined),
    element('NextUploadIdMarker', truncated ? last.id : undefined),
    element('MaxUploads', maxUploads),
    element('IsTruncated', truncated),
    ...page.map(uploadElement),
  ]);
}

/** Without an upload id marker, a page begins after all uploads of the marked key. */
function isAfter({ key, id }: MultipartUpload, keyMarker: string, idMarker: string): boolean {
  const order = compareKeys(key, keyMarker);
  return order > 0 || (order === 0 && idMarker !== '' && compareKeys(id, idMarker) > 0);
}

function partElement(part: StoredPart, { checksum }: MultipartUpload): string {
  const fields = [
    element('PartNumber', part.number),
    element('LastModified', part.lastModified.toISOString()),
    element('ETag', part.etag),
    element('Size', part.received.size),
    checksum === undefined ? '' : element(checksumElement(checksum.algorithm), part.checksum?.value),
  ];
  return `<Part>${fields.join('')}</Part>`;
}

function uploadElement(upload: MultipartUpload): string {
  const fields = [
    element('UploadId', upload.id),
    element('Key', upload.key),
    element('Initiated', upload.initiated.toISOString()),
    element('StorageClass', storageClassOf(upload.bucket, upload)),
    ...checksumFields(upload),
  ];
  return `<Upload>${fields.join('')}</Upload>`;
}

function checksumFields({ checksum }: MultipartUpload): string[] {
  if (checksum === undefined) return [];
  return [
    element('ChecksumAlgorithm', checksum.algorithm.toUpperCase()),
    element('ChecksumType', checksum.type),
  ];
}
