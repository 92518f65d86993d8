/** CompleteMultipartUpload: the client lists the parts of the object, and S3 checks that it has them. */
import { checksumAlgorithm, verifyChecksums } from '../checksums';
import { notImplemented, S3Error } from '../errors';
import { type PartReference, readPartReferences } from './part-references';
import {
  compositeCrc32,
  type MultipartUpload,
  type MultipartUploads,
  type StoredPart,
} from './multipart-uploads';
import type { S3Request } from '../request';
import { type Headers, knownHeaders, onlyIfAbsent } from '../request-headers';
import { element, xmlDocument } from '../xml';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MIN_PART_BYTES = 5 * 1024 * 1024;

const OPERATION = 'CompleteMultipartUpload';
const OWN_HEADERS = ['x-amz-checksum-type', 'x-amz-mp-object-size'];

export async function completeMultipartUpload(
  uploads: MultipartUploads,
  upload: MultipartUpload,
  request: S3Request,
): Promise<string> {
  const headers = knownHeaders(request, OPERATION, OWN_HEADERS);
  checkChecksumHeaders(headers, upload);
  const listed = await readPartReferences(request);
  const parts = chooseParts(upload, uploads.parts(upload), listed);
  const composite = upload.checksumType === 'COMPOSITE' ? compositeCrc32(parts).value : undefined;
  const object = await uploads.complete(upload, parts, {
    onlyIfAbsent: onlyIfAbsent(headers, OPERATION),
    verify: (size, { crc32 }) => {
      checkSize(headers['x-amz-mp-object-size'], size);
      verifyChecksums({ crc32: headers['x-amz-checksum-crc32'] }, { crc32: composite ?? crc32 });
    },
  });
  return xmlDocument('CompleteMultipartUploadResult', [
    element('Bucket', upload.bucket),
    element('Key', upload.key),
    element('ETag', object.etag),
    element('ChecksumCRC32', object.crc32.value),
    element('ChecksumType', object.crc32.type),
  ]);
}

function chooseParts(
  { checksumType }: MultipartUpload,
  uploaded: readonly StoredPart[],
  listed: readonly PartReference[],
): StoredPart[] {
  const byNumber = new Map(uploaded.map((part) => [part.number, part]));
  const parts = listed.map(({ number, etag, crc32 }, index) => {
    const previous = listed[index - 1]?.number ?? 0;
    if (number <= previous) {
      throw new S3Error('InvalidPartOrder', `part ${number} is listed after part ${previous}`);
    }
    const part = byNumber.get(number);
    if (part?.etag !== `"${etag}"`) {
      throw new S3Error(
        'InvalidPart',
        `part ${number} must have the ETag "${etag}", got ${part?.etag ?? 'no such part'}`,
      );
    }
    if (checksumType === 'COMPOSITE' && crc32 === undefined) {
      throw new S3Error(
        'InvalidRequest',
        `part ${number} must be listed with its CRC32, because the upload began with CRC32`,
      );
    }
    if (crc32 !== undefined && crc32 !== part.crc32) {
      throw new S3Error('InvalidPart', `part ${number} must have the CRC32 ${crc32}, got ${part.crc32}`);
    }
    return part;
  });
  const small = parts.slice(0, -1).find((part) => part.received.size < MIN_PART_BYTES);
  if (small !== undefined) {
    const message = `part ${small.number} must have at least ${MIN_PART_BYTES} bytes, because it is not the last, got ${small.received.size}`;
    throw new S3Error('EntityTooSmall', message);
  }
  return parts;
}

function checkChecksumHeaders(headers: Headers, { checksumType = 'FULL_OBJECT' }: MultipartUpload): void {
  for (const name of Object.keys(headers)) {
    const algorithm = checksumAlgorithm(name);
    if (algorithm !== undefined && name !== 'x-amz-checksum-crc32') {
      throw notImplemented(`${OPERATION} with the header ${name}`);
    }
  }
  const type = headers['x-amz-checksum-type'];
  if (type !== undefined && type !== checksumType) {
    throw new S3Error(
      'InvalidRequest',
      `the upload began with the checksum type ${checksumType}, got ${type}`,
    );
  }
}

function checkSize(expected: string | undefined, size: number): void {
  if (expected === undefined || Number(expected) === size) return;
  throw new S3Error('InvalidRequest', `expected an object of ${expected} bytes, got parts of ${size}`);
}
