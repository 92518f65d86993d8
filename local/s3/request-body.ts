/** Reads the body of a request, plain or `aws-chunked`, and checks it against the request's headers and trailers. */
import { Readable } from 'node:stream';
import { release } from '../../lambda/store/release';
import { decodeAwsChunked, type Trailers } from './aws-chunked';
import {
  checksumAlgorithm,
  type ChecksumAlgorithm,
  checksumHeader,
  ChecksumMeter,
  isChecksum,
  verifyChecksum,
} from './checksums';
import { invalidArgument, invalidRequest, notImplemented, S3Error } from './errors';
import type { Headers, S3Request } from './request';
import type { ReceiveOptions } from './store';

/** 5 GiB, of an object in one request and of a part: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

/** Bodies of XML: 10,000 parts with their checksums. */
const MAX_XML_BYTES = 8 * 1024 * 1024;

const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** The value of `x-amz-content-sha256` for `aws-chunked` bodies. Over TLS, clients do not sign their chunks. */
const CHUNKED = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

interface RequestBody extends Required<ReceiveOptions> {
  readonly bytes: Readable;
  /** The algorithm of the checksum that the client sends with the bytes, to be stored. */
  readonly checksum?: ChecksumAlgorithm;
}

/** Call `verify` after reading all bytes, because the trailers follow them. */
export function requestBody(request: S3Request, operation: string): RequestBody {
  const { headers } = request;
  const payload = payloadOf(headers, operation);
  const size = sizeOf(headers[payload.chunked ? 'x-amz-decoded-content-length' : 'content-length'] ?? '');
  const given = givenChecksum(headers);
  const trailers: Trailers = new Map();
  const sent = sentBytes(request);
  return {
    bytes: payload.chunked ? Readable.from(decodeAwsChunked(sent, trailers)) : sent,
    algorithms: [
      ...(given ? [given.algorithm] : []),
      ...(payload.sha256 === undefined ? [] : ['sha256' as const]),
    ],
    ...(given && { checksum: given.algorithm }),
    // Decoded chunks are views of memory that the decoder may still use, so they must not be released.
    written: payload.chunked ? () => undefined : release,
    verify: verifierOf({ size, sha256: payload.sha256, md5: givenMd5(headers), given, trailers }),
  };
}

function sizeOf(length: string): number {
  if (!/^\d+$/.test(length)) throw new S3Error('MissingContentLength');
  const size = Number(length);
  if (size <= MAX_PUT_BYTES) return size;
  throw new S3Error('EntityTooLarge', undefined, { ProposedSize: size, MaxSizeAllowed: MAX_PUT_BYTES });
}

function givenMd5(headers: Headers): string | undefined {
  const md5 = headers['content-md5'];
  if (md5 !== undefined && !isChecksum('md5', md5)) throw new S3Error('InvalidDigest');
  return md5;
}

/** What arrives, at the speed of the function's network and with its faults. */
function sentBytes({ message, caller, headers, alterBody }: S3Request): Readable {
  const passed = caller.traffic ? Readable.from(caller.traffic.uploaded(message)) : message;
  return alterBody ? Readable.from(alterBody(passed, Number(headers['content-length'] ?? 1))) : passed;
}

interface Announced {
  readonly size: number;
  readonly sha256: string | undefined;
  readonly md5: string | undefined;
  readonly given: GivenChecksum | undefined;
  readonly trailers: Trailers;
}

function verifierOf({ size, sha256, md5, given, trailers }: Announced): RequestBody['verify'] {
  return (received, actual) => {
    if (received !== size) throw new S3Error('IncompleteBody');
    const computed = Buffer.from(actual.sha256 ?? '', 'base64').toString('hex');
    if (sha256 !== undefined && sha256 !== computed) {
      const named = { ClientComputedContentSHA256: sha256, S3ComputedContentSHA256: computed };
      throw new S3Error('XAmzContentSHA256Mismatch', undefined, named);
    }
    if (md5 !== undefined && md5 !== actual.md5) throw new S3Error('BadDigest');
    if (given === undefined) return;
    const { algorithm, value = trailers.get(checksumHeader(algorithm)) } = given;
    if (value === undefined) throw new S3Error('MalformedTrailerError');
    if (given.value === undefined) checkValue(algorithm, value, 'trailing header');
    verifyChecksum(algorithm, value, actual[algorithm]);
  };
}

export async function xmlBody(request: S3Request, operation: string): Promise<string> {
  const { bytes, algorithms, verify } = requestBody(request, operation);
  const meter = new ChecksumMeter(algorithms);
  const chunks: Buffer[] = [];
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    meter.update(chunk);
    // Read the rest of a body that is too large. Otherwise the client sees a broken connection instead of the response.
    if (meter.size > MAX_XML_BYTES) chunks.length = 0;
    else chunks.push(chunk);
  }
  if (meter.size > MAX_XML_BYTES) throw new S3Error('MalformedXML');
  verify(meter.size, await meter.digest());
  return Buffer.concat(chunks).toString('utf8');
}

/** With the SHA-256 in hexadecimal if the signature covers the body as a whole. */
function payloadOf(headers: Headers, operation: string): { chunked: boolean; sha256?: string } {
  const hash = headers['x-amz-content-sha256'] ?? UNSIGNED;
  if (hash === CHUNKED) return { chunked: true };
  if (hash.startsWith('STREAMING-')) throw notImplemented(`${operation} with ${hash}`);
  if (/(^|,)\s*aws-chunked\s*(,|$)/.test(headers['content-encoding'] ?? '')) {
    throw notImplemented(
      `${operation} with the content encoding aws-chunked and x-amz-content-sha256: ${hash}`,
    );
  }
  if (hash === UNSIGNED) return { chunked: false };
  if (/^[0-9a-f]{64}$/i.test(hash)) return { chunked: false, sha256: hash.toLowerCase() };
  throw invalidArgument(
    'x-amz-content-sha256',
    `x-amz-content-sha256 must be ${UNSIGNED}, ${CHUNKED} or a valid sha256 value.`,
    hash,
  );
}

interface GivenChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Absent if it follows in a trailer. */
  readonly value?: string | undefined;
}

function givenChecksum(headers: Headers): GivenChecksum | undefined {
  const trailer = headers['x-amz-trailer']?.trim().toLowerCase();
  const named: [string, string | undefined][] = Object.entries(headers);
  if (trailer !== undefined) named.push([trailer, undefined]);
  const given = named.flatMap(([name, value]) => {
    const algorithm = checksumAlgorithm(name);
    return algorithm === undefined ? [] : [{ algorithm, value }];
  });
  for (const { algorithm, value } of given) if (value !== undefined) checkValue(algorithm, value, 'header');
  if (given.length <= 1) return given.at(0);
  throw invalidRequest('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
}

function checkValue(algorithm: ChecksumAlgorithm, value: string, where: string): void {
  if (isChecksum(algorithm, value)) return;
  throw invalidRequest(`Value for ${checksumHeader(algorithm)} ${where} is invalid.`);
}
