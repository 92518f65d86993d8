/** CreateMultipartUpload and AbortMultipartUpload. */
import { algorithmNamed, type ChecksumAlgorithm, type ChecksumType } from '../checksums';
import { S3Error } from '../errors';
import { encryptionHeaders } from '../object-headers';
import type { Answer, S3Service } from '../operation';
import type { S3Request } from '../request';
import { type Headers, objectMetadata } from '../request-headers';
import { element, xmlDocument } from '../xml';
import type { UploadChecksum } from './multipart-uploads';

export const CREATE_HEADERS = ['x-amz-checksum-algorithm', 'x-amz-checksum-type'] as const;

export function createMultipartUpload({ uploads }: S3Service, request: S3Request, headers: Headers): Answer {
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

export async function abortMultipartUpload({ uploads }: S3Service, request: S3Request): Promise<Answer> {
  await uploads.abort(uploads.of(request));
  return { status: 204 };
}
