/** Reads the body of a request, plain or `aws-chunked`, and checks it against the request's headers and trailers. */
import { Readable } from 'node:stream';
import { release } from '../../lambda/store/release';
import { decodeAwsChunked, type Trailers } from './aws-chunked';
import { checksumAlgorithm, type ChecksumAlgorithm, verifyChecksums } from './checksums';
import { notImplemented, S3Error } from './errors';
import type { S3Request } from './request';
import type { Headers } from './request-headers';
import type { ReceiveOptions } from './store';

interface RequestBody extends Required<ReceiveOptions> {
  readonly bytes: Readable;
}

/** Call `verify` after reading all bytes, because the trailers follow them. */
export function requestBody(request: S3Request, headers: Headers, operation: string): RequestBody {
  const chunked = isAwsChunked(headers['content-encoding'], operation);
  const size = declaredSize(chunked ? headers['x-amz-decoded-content-length'] : headers['content-length']);
  const expected = checksumHeaders(headers);
  const trailers: Trailers = new Map();
  const announced = (headers['x-amz-trailer'] ?? '').split(',').map((name) => name.trim().toLowerCase());
  const trailing = announced
    .filter((name) => name !== '')
    .map((name) => [name, checksumAlgorithm(name)] as const);

  const { message, traffic } = request;
  const sent = traffic ? Readable.from(traffic.uploaded(message)) : message;

  return {
    bytes: chunked ? Readable.from(decodeAwsChunked(sent, trailers)) : sent,
    algorithms: [...expected.keys(), ...trailing.flatMap(([, algorithm]) => algorithm ?? [])],
    // Decoded chunks are views of memory that the decoder may still use, so they must not be released.
    written: chunked ? () => undefined : release,
    verify: (received, actual) => {
      if (received !== size) throw new S3Error('IncompleteBody', `expected ${size} bytes, got ${received}`);
      for (const [name, algorithm] of trailing) {
        const value = trailers.get(name);
        if (value === undefined) throw new S3Error('IncompleteBody', `the trailer ${name} is missing`);
        if (algorithm !== undefined) expected.set(algorithm, value);
      }
      verifyChecksums(Object.fromEntries(expected), actual);
    },
  };
}

function isAwsChunked(encoding: string | undefined, operation: string): boolean {
  if (encoding === undefined || encoding === '') return false;
  if (encoding === 'aws-chunked') return true;
  throw notImplemented(`${operation} with the content encoding '${encoding}'`);
}

function declaredSize(header: string | undefined): number {
  if (header === undefined)
    throw new S3Error('MissingContentLength', 'the request must have a content length, got none');
  return Number(header);
}

function checksumHeaders(headers: Headers): Map<ChecksumAlgorithm, string> {
  const expected = new Map<ChecksumAlgorithm, string>();
  for (const [name, value] of Object.entries(headers)) {
    const algorithm = checksumAlgorithm(name);
    if (algorithm !== undefined && value !== undefined) expected.set(algorithm, value);
  }
  return expected;
}
