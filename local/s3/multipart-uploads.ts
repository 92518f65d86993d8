/** Holds unfinished multipart uploads. Each part is a file of the store. Completion streams the parts into one new file. */
import { createHash, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { Readable } from 'node:stream';
import type { ChecksumAlgorithm } from './checksums';
import type { WriteCondition } from './conditions';
import { S3Error } from './errors';
import type { S3Request } from './request';
import {
  type DiskObjectStore,
  md5Hex,
  type ObjectMetadata,
  type ReceivedBytes,
  type ReceiveOptions,
  type StoredObject,
} from './store';

interface NewUpload extends ObjectMetadata {
  readonly checksum: ChecksumAlgorithm;
}

export interface MultipartUpload extends NewUpload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly parts: Map<number, StoredPart>;
}

export interface StoredPart {
  /** Quoted hexadecimal MD5. */
  readonly etag: string;
  readonly received: ReceivedBytes;
}

export class MultipartUploads {
  private readonly unfinished = new Map<string, MultipartUpload>();

  constructor(private readonly store: DiskObjectStore) {}

  create(bucket: string, key: string, options: NewUpload): MultipartUpload {
    this.store.checkKey(bucket, key);
    const upload = { ...options, id: randomUUID(), bucket, key, parts: new Map<number, StoredPart>() };
    this.unfinished.set(upload.id, upload);
    return upload;
  }

  of({ bucket, key, query }: S3Request): MultipartUpload {
    this.store.checkBucket(bucket);
    const id = query.get('uploadId') ?? '';
    const upload = this.unfinished.get(id);
    if (upload?.bucket === bucket && upload.key === key) return upload;
    throw noSuchUpload(id);
  }

  async addPart(
    upload: MultipartUpload,
    number: number,
    body: Readable,
    options: ReceiveOptions,
  ): Promise<StoredPart> {
    const received = await this.store.receive(body, options);
    if (!this.unfinished.has(upload.id)) {
      await this.store.discard(received);
      throw noSuchUpload(upload.id);
    }
    const part = { received, etag: `"${md5Hex(received.checksums)}"` };
    const previous = upload.parts.get(number);
    upload.parts.set(number, part);
    if (previous !== undefined) await this.store.discard(previous.received);
    return part;
  }

  /** If it fails, the upload stays unchanged. */
  async complete(
    upload: MultipartUpload,
    chosen: readonly StoredPart[],
    condition: WriteCondition | undefined,
    checks: ReceiveOptions,
  ): Promise<StoredObject> {
    const { bucket, key, checksum } = upload;
    this.store.checkWrite(bucket, key, condition);
    // Remove the upload first, so that no other request changes it while its parts are read.
    if (!this.unfinished.delete(upload.id)) throw noSuchUpload(upload.id);
    try {
      const algorithms = [checksum, ...(checks.algorithms ?? [])];
      const joined = await this.store.receive(Readable.from(contentOf(chosen)), { ...checks, algorithms });
      const etag = etagOf(chosen);
      const reason = 'CompleteMultipartUpload';
      const object = await this.store.commit(bucket, key, joined, { ...upload, etag, condition, reason });
      await this.discard(upload);
      return object;
    } catch (error) {
      this.unfinished.set(upload.id, upload);
      throw error;
    }
  }

  async abort(upload: MultipartUpload): Promise<void> {
    this.unfinished.delete(upload.id);
    await this.discard(upload);
  }

  private async discard({ parts }: MultipartUpload): Promise<void> {
    for (const { received } of parts.values()) await this.store.discard(received);
  }
}

/** The MD5 of the parts' MD5s, then the number of parts. */
function etagOf(parts: readonly StoredPart[]): string {
  const hash = createHash('md5');
  for (const { etag } of parts) hash.update(Buffer.from(etag.slice(1, -1), 'hex'));
  return `"${hash.digest('hex')}-${parts.length}"`;
}

async function* contentOf(parts: readonly StoredPart[]): AsyncGenerator<Buffer> {
  for (const { received } of parts) {
    for await (const bytes of fs.createReadStream(received.file, { highWaterMark: 1 << 20 })) {
      yield bytes as Buffer;
    }
  }
}

function noSuchUpload(id: string): S3Error {
  return new S3Error('NoSuchUpload', undefined, { UploadId: id });
}
