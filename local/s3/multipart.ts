/** Multipart uploads. Each part is a file of the store. Completion streams the parts into one new file. */
import { hash, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { Readable } from 'node:stream';
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
import { type Headers, partNumber, type S3Request } from './request';
import { requestBody, xmlBody } from './request-body';
import type { Answer, MultipartUpload, S3Service, StoredPart } from './service';
import { md5Hex, type ReceiveOptions } from './store';
import { xmlDocument } from './xml';

export function createMultipartUpload(
  { store, uploads }: S3Service,
  { bucket, key, headers }: S3Request,
): Answer {
  store.checkKey(bucket, key);
  const checksum = algorithmNamed(headers['x-amz-checksum-algorithm'] ?? DEFAULT_ALGORITHM);
  const upload = { ...objectMetadata(headers), id: randomUUID(), bucket, key, checksum, parts: new Map() };
  uploads.set(upload.id, upload);
  const fields = { Bucket: bucket, Key: key, UploadId: upload.id };
  return { xml: xmlDocument('InitiateMultipartUploadResult', fields), headers: encryptionHeaders(upload) };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export async function uploadPart(service: S3Service, request: S3Request): Promise<Answer> {
  const { store, uploads } = service;
  const upload = uploadOf(service, request);
  const number = partNumber(request.query);
  const { bytes, checksum, ...checks } = requestBody(request, 'UploadPart');
  const received = await store.receive(bytes, checks);
  if (!uploads.has(upload.id)) {
    await store.discard(received);
    throw noSuchUpload(upload.id);
  }
  const etag = `"${md5Hex(received.checksums)}"`;
  const previous = upload.parts.get(number);
  upload.parts.set(number, { received, etag });
  if (previous !== undefined) await store.discard(previous.received);
  return {
    headers: { ETag: etag, ...(checksum && { [checksumHeader(checksum)]: received.checksums[checksum] }) },
  };
}

export async function abortMultipartUpload(service: S3Service, request: S3Request): Promise<Answer> {
  const upload = uploadOf(service, request);
  service.uploads.delete(upload.id);
  await discardParts(service, upload);
  return { status: 204 };
}

const COMPLETE = 'CompleteMultipartUpload';

/** If it fails, the upload stays unchanged. */
export async function completeMultipartUpload(service: S3Service, request: S3Request): Promise<Answer> {
  const { store, uploads } = service;
  const { headers } = request;
  const upload = uploadOf(service, request);
  const { id, bucket, key } = upload;
  const condition = writeCondition(headers, COMPLETE);
  // The checksums of the headers are those of the object, not of this body.
  const ofBody = Object.entries(headers).filter(([name]) => checksumAlgorithm(name) === undefined);
  const listed = partsListedIn(await xmlBody({ ...request, headers: Object.fromEntries(ofBody) }, COMPLETE));
  const parts = chosenParts(upload, listed);
  store.checkWrite(bucket, key, condition);
  // Remove the upload first, so that no other request changes it while its parts are read.
  if (!uploads.delete(id)) throw noSuchUpload(id);
  try {
    const joined = await store.receive(Readable.from(contentOf(parts)), checksOf(upload, headers));
    const options = { ...upload, etag: etagOf(parts), condition };
    const { etag, checksum } = await store.commit(bucket, key, joined, options);
    await discardParts(service, upload);
    const fields = { Location: `/${bucket}/${key}`, Bucket: bucket, Key: key, ETag: etag };
    return { xml: xmlDocument('CompleteMultipartUploadResult', { ...fields, ...checksumElement(checksum) }) };
  } catch (error) {
    uploads.set(id, upload);
    throw error;
  }
}

function uploadOf({ store, uploads }: S3Service, { bucket, key, query }: S3Request): MultipartUpload {
  store.checkBucket(bucket);
  const id = query.get('uploadId') ?? '';
  const upload = uploads.get(id);
  if (upload?.bucket === bucket && upload.key === key) return upload;
  throw noSuchUpload(id);
}

function noSuchUpload(id: string): S3Error {
  return new S3Error('NoSuchUpload', undefined, { UploadId: id });
}

async function discardParts({ store }: S3Service, { parts }: MultipartUpload): Promise<void> {
  for (const { received } of parts.values()) await store.discard(received);
}

/** The parts' checksums are not read: each was verified when the part arrived. ETags have no quotes, because clients may omit them. */
function partsListedIn(xml: string) {
  const parts = [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => {
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

function chosenParts({ parts }: MultipartUpload, listed: ReturnType<typeof partsListedIn>): StoredPart[] {
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

/** The MD5 of the parts' MD5s, then the number of parts. */
function etagOf(parts: readonly StoredPart[]): string {
  const sums = parts.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex'));
  return `"${hash('md5', Buffer.concat(sums))}-${parts.length}"`;
}

async function* contentOf(parts: readonly StoredPart[]): AsyncGenerator<Buffer> {
  for (const { received } of parts) {
    for await (const bytes of fs.createReadStream(received.file, { highWaterMark: 1 << 20 })) {
      yield bytes as Buffer;
    }
  }
}

/** What the client expects of the whole object. A checksum of the parts' checksums has a dash. */
function checksOf({ checksum }: MultipartUpload, headers: Headers): ReceiveOptions {
  const expectedSize = headers['x-amz-mp-object-size'];
  const expected = Object.entries(headers).flatMap(([name, value]) => {
    const algorithm = checksumAlgorithm(name);
    return algorithm === undefined || value === undefined || value.includes('-')
      ? []
      : [{ algorithm, value }];
  });
  return {
    algorithms: [checksum, ...expected.map(({ algorithm }) => algorithm)],
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
