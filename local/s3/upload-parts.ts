/** CreateMultipartUpload, UploadPart, CompleteMultipartUpload and AbortMultipartUpload. */
import {
  algorithmNamed,
  checksumAlgorithm,
  checksumElement,
  checksumHeader,
  DEFAULT_ALGORITHM,
  verifyChecksum,
} from './checksums';
import { writeCondition } from './conditions';
import { invalidRequest, S3Error } from './errors';
import { encryptionHeaders, objectMetadata } from './headers';
import type { MultipartUpload, StoredPart } from './multipart-uploads';
import { type Headers, partNumber, type S3Request } from './request';
import { requestBody, xmlBody } from './request-body';
import type { Answer, S3Service } from './service';
import type { ReceiveOptions } from './store';
import { xmlDocument } from './xml';

export function createMultipartUpload({ uploads }: S3Service, request: S3Request, headers: Headers): Answer {
  const { bucket, key } = request;
  const checksum = algorithmNamed(headers['x-amz-checksum-algorithm'] ?? DEFAULT_ALGORITHM);
  const upload = uploads.create(bucket, key, { ...objectMetadata(headers), checksum });
  const xml = xmlDocument('InitiateMultipartUploadResult', {
    Bucket: bucket,
    Key: key,
    UploadId: upload.id,
  });
  return { xml, headers: encryptionHeaders(upload) };
}

export async function abortMultipartUpload({ uploads }: S3Service, request: S3Request): Promise<Answer> {
  await uploads.abort(uploads.of(request));
  return { status: 204 };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export async function uploadPart(
  { uploads }: S3Service,
  request: S3Request,
  headers: Headers,
): Promise<Answer> {
  const upload = uploads.of(request);
  const number = partNumber(request.query);
  const { bytes, checksum, ...checks } = requestBody(request, headers, 'UploadPart');
  const { etag, received } = await uploads.addPart(upload, number, bytes, checks);
  return {
    headers: { ETag: etag, ...(checksum && { [checksumHeader(checksum)]: received.checksums[checksum] }) },
  };
}

const COMPLETE = 'CompleteMultipartUpload';

export async function completeMultipartUpload(
  { uploads }: S3Service,
  request: S3Request,
  headers: Headers,
): Promise<Answer> {
  const upload = uploads.of(request);
  const condition = writeCondition(headers, COMPLETE);
  // The checksums of the headers are those of the object, not of this body.
  const ofBody = Object.entries(headers).filter(([name]) => checksumAlgorithm(name) === undefined);
  const listed = partsListedIn(await xmlBody(request, Object.fromEntries(ofBody), COMPLETE));
  const object = await uploads.complete(upload, chosenParts(upload, listed), condition, checksOf(headers));
  const xml = xmlDocument('CompleteMultipartUploadResult', {
    Location: `/${upload.bucket}/${upload.key}`,
    Bucket: upload.bucket,
    Key: upload.key,
    ETag: object.etag,
    ...checksumElement(object.checksum),
  });
  return { xml };
}

interface ListedPart {
  readonly number: number;
  /** Without quotes, because clients may omit them. */
  readonly etag: string;
}

/** The parts' checksums are not read: each was verified when the part arrived. */
function partsListedIn(xml: string): ListedPart[] {
  const parts = [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']): ListedPart => {
    const number = /<PartNumber>\s*(\d{1,5})\s*<\/PartNumber>/.exec(part)?.[1];
    const etag = /<ETag>\s*(?:"|&quot;|&#34;|&#x22;)?(\w+)[^<]*<\/ETag>/.exec(part)?.[1];
    if (number === undefined || etag === undefined) throw new S3Error('MalformedXML');
    return { number: Number(number), etag };
  });
  if (parts.length === 0) throw new S3Error('MalformedXML');
  return parts;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MIN_PART_BYTES = 5 * 1024 * 1024;

function chosenParts({ parts }: MultipartUpload, listed: readonly ListedPart[]): StoredPart[] {
  return listed.map(({ number, etag }, index) => {
    if (number <= (listed[index - 1]?.number ?? 0)) throw new S3Error('InvalidPartOrder');
    const part = parts.get(number);
    const named = { PartNumber: number, ETag: etag };
    if (part?.etag !== `"${etag}"`) throw new S3Error('InvalidPart', undefined, named);
    const { size } = part.received;
    if (size >= MIN_PART_BYTES || index === listed.length - 1) return part;
    const sizes = { ProposedSize: size, MinSizeAllowed: MIN_PART_BYTES };
    throw new S3Error('EntityTooSmall', undefined, { ...sizes, ...named });
  });
}

/** What the client expects of the whole object. A checksum of the parts' checksums has a dash. */
function checksOf(headers: Headers): ReceiveOptions {
  const expectedSize = headers['x-amz-mp-object-size'];
  const expected = Object.entries(headers).flatMap(([name, value]) => {
    const algorithm = checksumAlgorithm(name);
    return algorithm === undefined || value === undefined || value.includes('-')
      ? []
      : [{ algorithm, value }];
  });
  return {
    algorithms: expected.map(({ algorithm }) => algorithm),
    verify: (size, checksums) => {
      if (expectedSize !== undefined && Number(expectedSize) !== size) {
        throw invalidRequest(
          `The provided 'x-amz-mp-object-size' header value ${expectedSize} does not match what was computed: ${size}`,
        );
      }
      for (const { algorithm, value } of expected) verifyChecksum(algorithm, value, checksums[algorithm]);
    },
  };
}
