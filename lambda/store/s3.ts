import { setTimeout } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, S3ServiceException, type S3Client } from '@aws-sdk/client-s3';
import type { ObjectReference } from '../contract';
import {
  ObjectChanged,
  ObjectUnavailable,
  type ByteRange,
  type ObjectPart,
  type ObjectStore,
  type WriteResult,
} from './object-store';

/** Attempts at a conditional write that S3 refuses because another one is under way. */
const CONFLICT_ATTEMPTS = 5;
const CONFLICT_PAUSE_MS = 50;

/** S3 through the AWS SDK, which itself repeats requests that fail or are throttled. */
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
        body: answer.Body as AsyncIterable<Uint8Array>,
      };
    } catch (error) {
      const status = statusOf(error);
      if (status === 403 || status === 404) throw new ObjectUnavailable(object);
      if (status === 412) throw new ObjectChanged(object);
      // An empty object has no range that could be satisfied.
      if (status === 416) return { size: 0, version: '', body: emptyBody() };
      throw error;
    }
  }

  async putIfAbsent(object: ObjectReference, body: Uint8Array): Promise<WriteResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.client.send(
          new PutObjectCommand({ Bucket: object.bucket, Key: object.key, Body: body, IfNoneMatch: '*' }),
        );
        return 'written';
      } catch (error) {
        const status = statusOf(error);
        if (status === 412) return 'present';
        if (status === 403) throw new ObjectUnavailable(object);
        // ConditionalRequestConflict: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        if (status !== 409 || attempt === CONFLICT_ATTEMPTS) throw error;
        await this.pause(CONFLICT_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
      }
    }
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** The total in `bytes 0-99/1234`. */
function wholeSize(contentRange: string | undefined): number | undefined {
  const total = contentRange?.split('/')[1];
  return total === undefined ? undefined : Number(total);
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {
  // Nothing to yield.
}
