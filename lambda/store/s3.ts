import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, S3ServiceException, type S3Client } from '@aws-sdk/client-s3';
import type { ObjectReference } from '../../contract/execution';
import { base64OfCrc32 } from './crc32';
import { wholeRequestMs } from './limits';
import {
  ObjectChanged,
  ObjectUnavailable,
  type ByteRange,
  type ObjectPart,
  type ObjectStore,
  type WriteResult,
} from './object-store';

/** Attempts at a write that fails temporarily: the SDK does not retry requests with a stream as body. */
const WRITE_ATTEMPTS = 5;
const WRITE_PAUSE_MS = 50;

/**
 * Over TLS, Node.js encrypts each chunk of a body as a whole, which takes twice the chunk's size, and fails with `EPROTO`
 * above 2 GB. Smaller pieces than this cost time, larger ones memory: see `bench:runtime`.
 */
const SEND_BYTES = 1024 * 1024;

/**
 * S3 answers 409 to a conditional write while another write of the key is in progress, and 503 to ask for fewer requests:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const TEMPORARY_STATUS: readonly number[] = [408, 409, 429, 500, 502, 503, 504];

/** Names of temporary failures that have the status of permanent ones. */
const TEMPORARY_NAMES: readonly string[] = [
  'BadDigest',
  'IncompleteBody',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'KMS.ThrottlingException',
];

/** Calls S3 through the AWS SDK, which retries failed and throttled reads itself. */
export class S3ObjectStore implements ObjectStore {
  constructor(
    private readonly client: S3Client,
    private readonly pause: (milliseconds: number) => Promise<unknown> = setTimeout,
    readonly closeIdleConnections: () => void = () => undefined,
  ) {}

  async get(object: ObjectReference, range: ByteRange, version?: string): Promise<ObjectPart> {
    try {
      const answer = await this.client.send(
        new GetObjectCommand({
          Bucket: object.bucket,
          Key: object.key,
          Range: `bytes=${range.start}-${range.end - 1}`,
          IfMatch: version,
        }),
      );
      return {
        size: wholeSize(answer.ContentRange) ?? answer.ContentLength ?? 0,
        version: answer.ETag ?? '',
        body: answer.Body as Readable,
      };
    } catch (error) {
      const status = statusOf(error);
      if (status === 403 || status === 404) throw new ObjectUnavailable(object);
      if (status === 412) throw new ObjectChanged(object);
      // S3 answers 416 to every range of an empty object.
      if (status === 416) return { size: 0, version: '', body: Readable.from([]) };
      throw error;
    }
  }

  /** Sends the parts without joining them. If S3's answer to a write is lost, the next attempt returns `present`. */
  async putIfAbsent(
    object: ObjectReference,
    parts: readonly Uint8Array[],
    crc32: number,
  ): Promise<WriteResult> {
    const head = {
      Bucket: object.bucket,
      Key: object.key,
      IfNoneMatch: '*',
      ContentLength: parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
      ChecksumCRC32: base64OfCrc32(crc32),
    };
    for (let attempt = 1; ; attempt++) {
      try {
        await this.client.send(new PutObjectCommand({ ...head, Body: bodyOf(parts) }), {
          requestTimeout: wholeRequestMs(head.ContentLength),
        });
        return 'written';
      } catch (error) {
        const status = statusOf(error);
        if (status === 412) return 'present';
        if (attempt < WRITE_ATTEMPTS && isTemporary(error)) {
          await this.pause(WRITE_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
          continue;
        }
        if (status === 403)
          throw new ObjectUnavailable(object, 'cannot be written: check the permissions of the function');
        throw error;
      }
    }
  }
}

/** A new stream of the parts, so that each attempt sends them from the beginning. */
function bodyOf(parts: readonly Uint8Array[]): Readable {
  return Readable.from(piecesOf(parts), { objectMode: false });
}

function* piecesOf(parts: readonly Uint8Array[]): Generator<Uint8Array, void> {
  for (const part of parts) {
    for (let start = 0; start < part.byteLength; start += SEND_BYTES) {
      yield part.subarray(start, start + SEND_BYTES);
    }
  }
}

/** An error without a status is a failed connection. */
function isTemporary(error: unknown): boolean {
  const status = statusOf(error);
  if (status === undefined || TEMPORARY_STATUS.includes(status)) return true;
  return error instanceof Error && TEMPORARY_NAMES.includes(error.name);
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** The total in `bytes 0-99/1234`. */
function wholeSize(contentRange: string | undefined): number | undefined {
  const total = contentRange?.split('/')[1];
  return total === undefined ? undefined : Number(total);
}
