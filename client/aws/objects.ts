/** The objects in S3 that a call writes and reads. */
import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ObjectReference } from '../../contract/execution';
import { quotedName } from '../../lambda/json-values';
import { InferenceError } from '../errors';
import { request } from '../run/wait';
import type { AwsClient } from './aws-client';
import { readBody } from './read-body';
import { loadS3Sdk, type S3Sdk } from './sdk';

interface ObjectsOptions {
  /** The application's own client. */
  readonly client: AwsClient | undefined;
  readonly region: string;
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
  private loaded: Promise<{ readonly sdk: S3Sdk; readonly client: S3Client }> | undefined;

  constructor(private readonly options: ObjectsOptions) {}

  async put({ bucket, key }: ObjectReference, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const ms = this.options.requestTimeout + (bytes.byteLength / SLOW_BYTES_PER_SECOND) * 1000;
    await request('PutObject', { signal, ms }, async (abortSignal) => {
      const { sdk, client } = await this.load();
      const input = { Bucket: bucket, Key: key, Body: bytes, ContentLength: bytes.byteLength };
      return client.send(new sdk.PutObjectCommand(input), { abortSignal });
    });
  }

  /**
   * Reads an object into memory.
   * @throws InferenceError `InvalidOutput` before memory is allocated, if the object is larger than `maxResultBytes`; BrokenBodyError
   */
  async get({ bucket, key }: ObjectReference, signal: AbortSignal): Promise<Uint8Array> {
    const { requestTimeout: ms, maxResultBytes } = this.options;
    const { Body, ContentLength = 0 } = await request('GetObject', { signal, ms }, async (abortSignal) => {
      const { sdk, client } = await this.load();
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

  /** Closes the connections of a client that this object has made. */
  async close(): Promise<void> {
    if (this.loaded === undefined || this.options.client !== undefined) return;
    (await this.loaded).client.destroy();
    this.loaded = undefined;
  }

  private load(): Promise<{ readonly sdk: S3Sdk; readonly client: S3Client }> {
    const { client, region } = this.options;
    this.loaded ??= loadS3Sdk().then((sdk) => ({
      sdk,
      client: client === undefined ? new sdk.S3Client({ region }) : (client as unknown as S3Client),
    }));
    return this.loaded;
  }
}
