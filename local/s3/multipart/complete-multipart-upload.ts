/** CompleteMultipartUpload: the client lists the parts of the object, and S3 checks that it has them. */
import { checksumAlgorithm, checksumElement, verifyChecksum } from '../checksums';
import { writeCondition } from '../conditions';
import { invalidRequest, S3Error } from '../errors';
import type { Answer, S3Service } from '../operation';
import { fieldsOf, malformed, parseXml, xmlDocument, type XmlElement } from '../xml';
import type { Headers, S3Request } from '../request';
import { xmlBody } from '../request-body';
import { type MultipartUpload, type StoredPart, WITHOUT_CHECKSUM } from './multipart-uploads';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MIN_PART_BYTES = 5 * 1024 * 1024;

const OPERATION = 'CompleteMultipartUpload';

export async function completeMultipartUpload(
  { uploads }: S3Service,
  request: S3Request,
  headers: Headers,
): Promise<Answer> {
  const upload = uploads.of(request);
  const expected = expectedChecksum(headers, upload);
  const condition = writeCondition(headers, OPERATION);
  // The checksums of the headers are those of the object, not of this body.
  const ofBody = Object.entries(headers).filter(([name]) => checksumAlgorithm(name) === undefined);
  const body = await xmlBody(request, Object.fromEntries(ofBody), OPERATION);
  const { children } = parseXml(body, OPERATION);
  if (children.length === 0 || children.some(({ name }) => name !== 'Part')) malformed();
  const listed = children.map(parsePartReference);
  const parts = chooseParts(upload, uploads.partsByNumber(upload), listed);
  const { algorithm, type } = upload.checksum ?? WITHOUT_CHECKSUM;
  const object = await uploads.complete(upload, parts, condition, (size, checksum) => {
    const expectedSize = headers['x-amz-mp-object-size'];
    if (expectedSize !== undefined && Number(expectedSize) !== size) {
      throw invalidRequest(
        `The provided 'x-amz-mp-object-size' header value ${expectedSize} does not match what was computed: ${size}`,
      );
    }
    if (expected === undefined) return;
    // Clients may omit the number of parts of a composite checksum.
    const actual = expected.includes('-') ? checksum : checksum.replace(/-\d+$/, '');
    verifyChecksum(algorithm, expected, actual);
  });
  const xml = xmlDocument('CompleteMultipartUploadResult', {
    Location: `/${upload.bucket}/${upload.key}`,
    Bucket: upload.bucket,
    Key: upload.key,
    ETag: object.etag,
    [checksumElement(algorithm)]: object.checksum.value,
    ChecksumType: type,
  });
  return { xml };
}

interface PartReference {
  readonly number: number;
  /** Without quotes, because clients may omit them. */
  readonly etag: string;
  /** Base64 values by the name of their element, such as `ChecksumCRC32`. */
  readonly checksums: ReadonlyMap<string, string>;
}

function parsePartReference(part: XmlElement): PartReference {
  const fields = fieldsOf(part);
  const number = fields.get('PartNumber')?.trim() ?? '';
  const etag = fields.get('ETag')?.trim();
  if (!/^\d{1,5}$/.test(number) || etag === undefined) malformed();
  const others = [...fields].filter(([name]) => name !== 'PartNumber' && name !== 'ETag');
  if (others.some(([name]) => !name.startsWith('Checksum'))) malformed();
  return {
    number: Number(number),
    etag: etag.replace(/^"(.*)"$/, '$1'),
    checksums: new Map(others.map(([name, value]) => [name, value.trim()])),
  };
}

function chooseParts(
  { checksum }: MultipartUpload,
  uploaded: ReadonlyMap<number, StoredPart>,
  listed: readonly PartReference[],
): StoredPart[] {
  const parts = listed.map((reference, index) => {
    const { number, etag } = reference;
    if (number <= (listed[index - 1]?.number ?? 0)) throw new S3Error('InvalidPartOrder');
    const part = uploaded.get(number);
    if (part?.etag !== `"${etag}"`) throw invalidPart(reference);
    if (checksum?.type === 'COMPOSITE' && !reference.checksums.has(checksumElement(checksum.algorithm))) {
      throw invalidRequest(
        `The upload was created using a ${checksum.algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
      );
    }
    if (![...reference.checksums].every((listed) => isOf(part, ...listed))) throw invalidPart(reference);
    return part;
  });
  const small = parts.slice(0, -1).find((part) => part.received.size < MIN_PART_BYTES);
  if (small !== undefined) {
    throw new S3Error('EntityTooSmall', undefined, {
      ProposedSize: small.received.size,
      MinSizeAllowed: MIN_PART_BYTES,
      PartNumber: small.number,
      ETag: small.etag,
    });
  }
  return parts;
}

/** A part has no checksums but that of its algorithm. */
function isOf({ checksum }: StoredPart, name: string, value: string): boolean {
  return checksum !== undefined && name === checksumElement(checksum.algorithm) && value === checksum.value;
}

function invalidPart({ number, etag }: PartReference): S3Error {
  return new S3Error('InvalidPart', undefined, { PartNumber: number, ETag: etag });
}

function expectedChecksum(headers: Headers, { checksum }: MultipartUpload): string | undefined {
  const { algorithm, type } = checksum ?? WITHOUT_CHECKSUM;
  const givenType = headers['x-amz-checksum-type'];
  if (givenType !== undefined && givenType !== type) {
    throw invalidRequest(
      `The upload was created using the ${type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  let expected: string | undefined;
  for (const [name, value] of Object.entries(headers)) {
    const given = checksumAlgorithm(name);
    if (given === undefined) continue;
    if (given !== algorithm) {
      throw invalidRequest(
        `Checksum Type mismatch occurred, expected checksum Type: ${checksum?.algorithm ?? 'null'}, actual checksum Type: ${given}`,
      );
    }
    expected = value;
  }
  return expected;
}
