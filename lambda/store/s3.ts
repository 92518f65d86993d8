import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, S3ServiceException, type S3Client } from '@aws-sdk/client-s3';
import type { ObjectReference } from '../../contract/execution';
import { crc32Base64 } from './crc32';
import {
  ObjectChanged,
  ObjectUnavailable,
  type ByteRange,
  type ObjectPart,
  type ObjectStore,
  type WriteResult,
} from './object-store';

/** Attempts at a write that fails for a reason that may pass: the SDK repeats no request whose body is a stream. */
const WRITE_ATTEMPTS = 5;
const WRITE_PAUSE_MS = 50;

/**
 * 409 is that of a conditional write while another one is under way, 503 that of S3 asking to slow down:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const PASSING_STATUS: readonly number[] = [408, 409, 429, 500, 502, 503, 504];

/** Failures that pass, but have the status of those that do not. */
const PASSING_NAMES: readonly string[] = [
  'BadDigest',
  'IncompleteBody',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'KMS.ThrottlingException',
];

/** S3 through the AWS SDK, which itself repeats reads that fail or are throttled. */
export class S3ObjectStore implements ObjectStore {
  constructor(
    private readonly client: S3Client,
    private readonly pause: (milliseconds: number) => Promise<unknown> = setTimeout,
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
      // An empty object has no range that could be satisfied.
      if (status === 416) return { size: 0, version: '', body: Readable.from([]) };
      throw error;
    }
  }

  /** The parts are sent as they lie in memory. A write whose answer was lost finds its own object at the next attempt. */
  async putIfAbsent(object: ObjectReference, parts: readonly Uint8Array[]): Promise<WriteResult> {
    const head = {
      Bucket: object.bucket,
      Key: object.key,
      IfNoneMatch: '*',
      ContentLength: parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
      ChecksumCRC32: crc32Base64(parts),
    };
    for (let attempt = 1; ; attempt++) {
      try {
        const Body = Readable.from(parts, { objectMode: false });
        await this.client.send(new PutObjectCommand({ ...head, Body }));
        return 'written';
      } catch (error) {
        const status = statusOf(error);
        if (status === 412) return 'present';
        if (attempt < WRITE_ATTEMPTS && mayPass(error)) {
          await this.pause(WRITE_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
          continue;
        }
        if (status === 403) throw new ObjectUnavailable(object, 'must not be written by this function');
        throw error;
      }
    }
  }
}

/** Without a status the connection failed. */
function mayPass(error: unknown): boolean {
  const status = statusOf(error);
  if (status === undefined || PASSING_STATUS.includes(status)) return true;
  return error instanceof Error && PASSING_NAMES.includes(error.name);
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** The total in `bytes 0-99/1234`. */
function wholeSize(contentRange: string | undefined): number | undefined {
  const total = contentRange?.split('/')[1];
  return total === undefined ? undefined : Number(total);
}
