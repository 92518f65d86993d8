/** The objects in S3 that a call writes and reads. */
import type { Readable } from 'node:stream';
import type { ObjectReference } from '../../contract/execution';
import { quotedName } from '../../lambda/json-values';
import { InferenceError } from '../errors';
import { request } from '../run/wait';
import { readBody } from './read-body';
import type { S3Connection } from './s3-connection';

interface ObjectsOptions {
  readonly connection: S3Connection;
  /** Milliseconds. */
  readonly requestTimeout: number;
  /** Largest object that is read, in bytes. */
  readonly maxResultBytes: number;
}

/** The largest object of one PutObject. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MAX_PUT_BYTES = 5 * 2 ** 30;

/** A slow line still sends this much in a second. A larger object gets more time. */
const SLOW_BYTES_PER_SECOND = 2 ** 20;

export class Objects {
  constructor(private readonly options: ObjectsOptions) {}

  async put({ bucket, key }: ObjectReference, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const { connection, requestTimeout } = this.options;
    const ms = requestTimeout + Math.ceil((bytes.byteLength / SLOW_BYTES_PER_SECOND) * 1000);
    await request('PutObject', { signal, ms }, async (abortSignal) => {
      const { sdk, client } = await connection.load();
      const input = { Bucket: bucket, Key: key, Body: bytes, ContentLength: bytes.byteLength };
      return client.send(new sdk.PutObjectCommand(input), { abortSignal });
    });
  }

  /**
   * Reads an object into memory.
   * @throws InferenceError `InvalidOutput` before memory is allocated, if the object is larger than `maxResultBytes`; BrokenBodyError
   */
  async get({ bucket, key }: ObjectReference, signal: AbortSignal): Promise<Uint8Array> {
    const { connection, requestTimeout: ms, maxResultBytes } = this.options;
    const { Body, ContentLength = 0 } = await request('GetObject', { signal, ms }, async (abortSignal) => {
      const { sdk, client } = await connection.load();
      return client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal });
    });
    const body = Body as Readable;
    if (ContentLength > maxResultBytes) {
      body.destroy();
      throw new InferenceError(
        'InvalidOutput',
        `the results ${quotedName(key)} must have at most ${maxResultBytes} bytes, got ${ContentLength}: raise maxResultBytes`,
        { expected: `at most ${maxResultBytes} bytes`, got: `${ContentLength} bytes` },
      );
    }
    return await readBody(body, ContentLength, { signal, ms });
  }
}
