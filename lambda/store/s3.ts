import { Readable } from 'node:stream';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getEndpointFromInstructions } from '@smithy/core/endpoints';
import type { ObjectReference } from '../../contract/execution';
import type { ByteRange } from '../../contract/object-reads';
import { base64OfCrc32 } from '../tensors/checksums';
import { type Agents, soon } from './connections';
import { ExpressSessions } from './express-sessions';
import { wholeRequestMs } from './limits';
import {
  isDirectoryBucket,
  ObjectChanged,
  ObjectUnavailable,
  type ObjectPart,
  type ObjectStore,
} from './object-store';
import { wholeBody } from './read-buffer';
import { retried, statusOf, type RetryOptions } from './retry';

/**
 * Over TLS, Node.js encrypts each chunk of a body as a whole, which takes twice the chunk's size, and fails with `EPROTO`
 * above 2 GB. Smaller pieces than this cost time, larger ones memory.
 */
const SEND_BYTES = 1024 * 1024;

type Connections = Omit<Agents, 'httpAgent' | 'httpsAgent'>;

export class S3ObjectStore implements ObjectStore {
  constructor(
    private readonly client: S3Client,
    private readonly connections?: Connections,
    private readonly retries: RetryOptions = {},
  ) {}

  closeIdleConnections(): void {
    this.connections?.closeIdle();
    const { s3ExpressIdentityProvider: sessions } = this.client.config;
    if (sessions instanceof ExpressSessions) sessions.forgetAwaited();
  }

  async prepareConnection(bucket: string): Promise<void> {
    const {
      connections,
      client: { config },
    } = this;
    if (connections === undefined) return;
    const prepared = async (): Promise<void> => {
      const { s3ExpressIdentityProvider: sessions } = config;
      // A directory bucket also gets its session, over the connection that the next request then finds idle.
      if (isDirectoryBucket(bucket) && sessions instanceof ExpressSessions) await sessions.of(bucket);
      const { url } = await getEndpointFromInstructions({ Bucket: bucket }, PutObjectCommand, config);
      await connections.prepare(url);
    };
    // A request reports the failure that prevents this.
    await soon(prepared().catch(() => undefined));
  }

  async get(object: ObjectReference, range: ByteRange, version?: string): Promise<ObjectPart> {
    try {
      const command = {
        Bucket: object.bucket,
        Key: object.key,
        Range: `bytes=${range.start}-${range.end - 1}`,
        IfMatch: version,
      };
      const answer = await retried(object, this.retries, () =>
        this.client.send(new GetObjectCommand(command)),
      );
      return {
        size: wholeSize(answer.ContentRange) ?? answer.ContentLength ?? 0,
        version: answer.ETag ?? '',
        body: wholeBody(answer.Body as Readable),
      };
    } catch (error) {
      const status = statusOf(error);
      if (status === 403 || status === 404) throw new ObjectUnavailable(object);
      if (status === 400 && isUndecryptable(error))
        throw new ObjectUnavailable(object, `cannot be decrypted: ${error.name}: ${error.message}`);
      if (status === 412) throw new ObjectChanged(object);
      // S3 answers 416 to every range of an empty object.
      if (status === 416) return { size: 0, version: '', body: Readable.from([]) };
      throw error;
    }
  }

  /**
   * Sends the parts without joining them. If S3's answer to a write is lost, the next attempt returns false. So does a write of a
   * version after an empty object: S3 answers no version of it, and refuses an empty condition.
   */
  async write(
    object: ObjectReference,
    parts: readonly Uint8Array[],
    crc32: number,
    version?: string,
  ): Promise<boolean> {
    if (version === '') return false;
    const head = {
      Bucket: object.bucket,
      Key: object.key,
      ...(version === undefined ? { IfNoneMatch: '*' } : { IfMatch: version }),
      ContentLength: parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
      ChecksumCRC32: base64OfCrc32(crc32),
    };
    try {
      await retried(object, this.retries, () =>
        this.client.send(
          new PutObjectCommand({ ...head, Body: Readable.from(piecesOf(parts), { objectMode: false }) }),
          {
            requestTimeout: wholeRequestMs(head.ContentLength),
          },
        ),
      );
      return true;
    } catch (error) {
      const status = statusOf(error);
      // 404: the object that has had the version is gone.
      if (status === 412 || (status === 404 && version !== undefined)) return false;
      if (status === 403)
        throw new ObjectUnavailable(object, 'cannot be written: check the permissions of the function');
      throw error;
    }
  }
}

/** A KMS key that is disabled, or a key of the writer's own (SSE-C): https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
function isUndecryptable(error: unknown): error is Error {
  return error instanceof Error && (error.name === 'InvalidRequest' || error.name.startsWith('KMS.'));
}

/** Each attempt sends them from the beginning. */
function* piecesOf(parts: readonly Uint8Array[]): Generator<Uint8Array, void> {
  for (const part of parts) {
    for (let start = 0; start < part.byteLength; start += SEND_BYTES) {
      yield part.subarray(start, start + SEND_BYTES);
    }
  }
}

function wholeSize(contentRange: string | undefined): number | undefined {
  const total = contentRange?.split('/')[1];
  return total === undefined ? undefined : Number(total);
}
