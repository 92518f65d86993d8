/** The objects in S3 that a call writes and reads. The client of S3 is made when the first request needs it. */
import type { Readable } from 'node:stream';
import type {
  CompletedPart,
  GetObjectCommandInput,
  GetObjectCommandOutput,
  S3Client,
  UploadPartCommandInput,
} from '@aws-sdk/client-s3';
import type { AwsClient } from '../options';
import { AwsConnection, loadS3Sdk, type S3Sdk } from './sdk';
import type { ObjectReference } from '../../contract/execution';
import { quotedName } from '../../lambda/json-values';
import { InferenceError, InferenceTimeoutError } from '../errors';
import { request } from '../run/wait';

export type S3Connection = AwsConnection<S3Sdk, S3Client>;

export function s3Connection(own: AwsClient | undefined, region: string | undefined): S3Connection {
  return new AwsConnection(own, loadS3Sdk, (sdk) => new sdk.S3Client(region ? { region } : {}));
}

/** A slow line still sends this much in a second. A larger object gets more time. */
const SLOW_BYTES_PER_SECOND = 2 ** 20;

export class Objects {
  constructor(
    private readonly connection: S3Connection,
    /** Milliseconds. */
    private readonly requestTimeout: number,
    private readonly maxResultBytes: number,
  ) {}

  async put({ bucket, key }: ObjectReference, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const input = { Bucket: bucket, Key: key, Body: bytes, ContentLength: bytes.byteLength };
    await this.send('PutObject', { signal, bytes: bytes.byteLength }, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.PutObjectCommand(input), { abortSignal }),
    );
  }

  /**
   * Puts an object whose size nobody knows yet. It is there as a whole or not at all.
   * @param parts each but the last one of 5 MiB or more
   */
  async putParts(
    place: ObjectReference,
    parts: AsyncGenerator<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const first = await parts.next();
    const second = await parts.next();
    if (second.done) {
      if (!first.done) await this.put(place, first.value, signal);
      return;
    }
    const own = { Bucket: place.bucket, Key: place.key };
    const { UploadId } = await this.send(
      'CreateMultipartUpload',
      { signal },
      ({ sdk, client }, abortSignal) =>
        client.send(new sdk.CreateMultipartUploadCommand(own), { abortSignal }),
    );
    const upload = { ...own, UploadId };
    try {
      const sent: CompletedPart[] = [];
      for (let part = first; !part.done; part = sent.length === 1 ? second : await parts.next())
        sent.push(await this.putPart({ ...upload, PartNumber: sent.length + 1, Body: part.value }, signal));
      const whole = { ...upload, MultipartUpload: { Parts: sent } };
      await this.send('CompleteMultipartUpload', { signal }, ({ sdk, client }, abortSignal) =>
        client.send(new sdk.CompleteMultipartUploadCommand(whole), { abortSignal }),
      );
    } catch (error) {
      // Without permission, a lifecycle rule of the bucket removes the parts.
      await this.send(
        'AbortMultipartUpload',
        { signal: new AbortController().signal },
        (loaded, abortSignal) =>
          loaded.client.send(new loaded.sdk.AbortMultipartUploadCommand(upload), { abortSignal }),
      ).catch(() => undefined);
      throw error;
    }
  }

  private async putPart(
    input: UploadPartCommandInput & { readonly Body: Uint8Array },
    signal: AbortSignal,
  ): Promise<CompletedPart> {
    const { PartNumber, Body } = input;
    const bytes = Body.byteLength;
    const { ETag } = await this.send('UploadPart', { signal, bytes }, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.UploadPartCommand({ ...input, ContentLength: bytes }), { abortSignal }),
    );
    return { PartNumber, ETag };
  }

  /**
   * Reads an object into memory.
   * @throws InferenceError `InvalidOutput` before memory is allocated, if the object is larger than `maxResultBytes`; BrokenBodyError
   */
  async get({ bucket, key }: ObjectReference, signal: AbortSignal): Promise<Uint8Array> {
    const { requestTimeout: ms, maxResultBytes } = this;
    const { Body, ContentLength = 0 } = await this.ask({ Bucket: bucket, Key: key }, signal);
    const body = Body as Readable;
    if (ContentLength > maxResultBytes) {
      body.destroy();
      throw new InferenceError(
        'InvalidOutput',
        `the results ${quotedName(key)} must have at most ${maxResultBytes} bytes, got ${ContentLength}: raise maxResultBytes`,
        { expected: `at most ${maxResultBytes} bytes`, got: `${ContentLength} bytes` },
      );
    }
    return await readBody(body, ContentLength, ms, signal);
  }

  /**
   * Reads a range of an object, or what there is of it.
   * @param etag of the parts before: the parts of two objects do not fit
   */
  async part(
    { bucket, key }: ObjectReference,
    { start, end, etag }: { readonly start: number; readonly end: number; readonly etag: string | undefined },
    signal: AbortSignal,
  ): Promise<{ readonly bytes: Uint8Array; readonly total: number; readonly etag: string | undefined }> {
    const range = {
      Bucket: bucket,
      Key: key,
      Range: `bytes=${start}-${end - 1}`,
      ...(etag && { IfMatch: etag }),
    };
    const { Body, ContentRange = '', ContentLength = 0, ETag } = await this.ask(range, signal);
    const total = Number(/^bytes \d+-\d+\/(\d+)$/.exec(ContentRange)?.[1]);
    const body = Body as Readable;
    if (!(ContentLength > 0 && ContentLength <= end - start && start + ContentLength <= total)) {
      body.destroy();
      throw new BrokenBodyError(
        `the part must have at most ${end - start} bytes, got ${ContentLength}: read it again`,
      );
    }
    const bytes = await readBody(body, ContentLength, this.requestTimeout, signal);
    return { bytes, total, etag: ETag };
  }

  /** The keys below a prefix. */
  async *keys({ bucket, key: prefix }: ObjectReference, signal: AbortSignal): AsyncGenerator<string, void> {
    let token: string | undefined;
    do {
      const page = {
        Bucket: bucket,
        Prefix: prefix,
        ...(token !== undefined && { ContinuationToken: token }),
      };
      const { Contents = [], NextContinuationToken } = await this.send(
        'ListObjectsV2',
        { signal },
        ({ sdk, client }, abortSignal) => client.send(new sdk.ListObjectsV2Command(page), { abortSignal }),
      );
      for (const { Key = '' } of Contents) yield Key;
      token = NextContinuationToken;
    } while (token !== undefined);
  }

  private async ask(input: GetObjectCommandInput, signal: AbortSignal): Promise<GetObjectCommandOutput> {
    return await this.send('GetObject', { signal }, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.GetObjectCommand(input), { abortSignal }),
    );
  }

  /** @param bytes that the request sends */
  private async send<T>(
    operation: string,
    { signal, bytes = 0 }: { readonly signal: AbortSignal; readonly bytes?: number },
    send: (loaded: { readonly sdk: S3Sdk; readonly client: S3Client }, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { connection, requestTimeout } = this;
    const ms = requestTimeout + Math.ceil((bytes / SLOW_BYTES_PER_SECOND) * 1000);
    return await request(operation, { signal, ms }, async (ended) => send(await connection.load(), ended));
  }
}

/** The body ended early or has more bytes than its headers say. Reading again may help. */
export class BrokenBodyError extends Error {
  override readonly name = 'BrokenBodyError';
}

/** @param ms milliseconds without a byte after which the connection counts as dead */
async function readBody(
  body: Readable,
  length: number,
  ms: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const stop = (): void => {
    body.destroy(signal.reason as Error);
  };
  const stalled = (): void => {
    const got = `got nothing after ${position} of ${length} bytes`;
    body.destroy(new InferenceTimeoutError(`S3 must send results within ${ms} ms, ${got}: try again`));
  };
  let position = 0;
  let timer = setTimeout(stalled, ms);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    for await (const part of body as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      if (part.byteLength > length - position) throw broken(length, position + part.byteLength);
      bytes.set(part, position);
      position += part.byteLength;
      timer = setTimeout(stalled, ms);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof InferenceTimeoutError || error instanceof BrokenBodyError) throw error;
    throw new BrokenBodyError((error as Error).message, { cause: error });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    body.destroy();
  }
  if (position !== length) throw broken(length, position);
  return bytes;
}

function broken(length: number, got: number): BrokenBodyError {
  return new BrokenBodyError(`the object must have ${length} bytes, got ${got}: read it again`);
}
