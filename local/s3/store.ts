/**
 * Stores objects as immutable files whose names are numbers, and keeps the buckets' indexes in memory. No key can lead out
 * of the folder, an overwrite never disturbs a reader, and of two conditional writes exactly one commits.
 */
import * as fs from 'node:fs';
import { open, rm } from 'node:fs/promises';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { type ChecksumAlgorithm, ChecksumMeter, type Checksums } from './checksums';
import { S3Error } from './errors';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1024;

export interface StoredObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Quoted hexadecimal MD5. For a multipart object: the MD5 of the parts' MD5s, then the number of parts. */
  readonly etag: string;
  readonly crc32: ObjectCrc32;
  readonly lastModified: Date;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly file: string;
}

/** Base64. A composite CRC32 is the CRC32 of the parts' CRC32s, then a dash and the number of parts. */
export interface ObjectCrc32 {
  readonly value: string;
  readonly type: ChecksumType;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

/** Bytes in a file of the store that has no key yet. */
export interface ReceivedBytes {
  readonly file: string;
  readonly size: number;
  readonly checksums: Checksums;
}

export interface ReceiveOptions {
  /** Checksums to compute besides MD5 and CRC32. */
  readonly algorithms?: readonly ChecksumAlgorithm[];
  /** Called after the last byte; throws to refuse the bytes. */
  readonly verify?: (size: number, checksums: Checksums) => void;
  /** Called with each chunk once it is written and the store no longer needs it. */
  readonly written?: (chunk: Buffer) => void;
}

export interface ObjectOptions {
  /** Refuses the commit with `PreconditionFailed` if the key exists. */
  readonly onlyIfAbsent?: boolean;
  readonly contentType?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * ETag and CRC32 of a multipart object.
   * @default - computed from all bytes
   */
  readonly partwise?: { readonly etag: string; readonly crc32?: ObjectCrc32 };
}

export class DiskObjectStore {
  private readonly buckets = new Map<string, Map<string, StoredObject>>();
  private files = 0;

  constructor(private readonly folder: string) {
    fs.mkdirSync(folder, { recursive: true });
  }

  createBucket(name: string): void {
    if (!this.buckets.has(name)) this.buckets.set(name, new Map());
  }

  async put(
    bucketName: string,
    key: string,
    body: Readable,
    options: ObjectOptions & ReceiveOptions = {},
  ): Promise<StoredObject> {
    this.checkKey(bucketName, key);
    return this.commit(bucketName, key, await this.receive(body, options), options);
  }

  /** @throws S3Error `NoSuchBucket` when there is no bucket of this name */
  checkBucket(name: string): void {
    this.bucket(name);
  }

  /** @throws S3Error when the bucket does not exist or the key is too long */
  checkKey(bucketName: string, key: string): void {
    this.checkBucket(bucketName);
    if (Buffer.byteLength(key) > MAX_KEY_BYTES)
      throw new S3Error('KeyTooLongError', `the key must have at most ${MAX_KEY_BYTES} bytes`);
  }

  /** Writes bytes to a new file. The caller must commit or discard it. */
  async receive(body: Readable, options: ReceiveOptions = {}): Promise<ReceivedBytes> {
    const meter = new ChecksumMeter(options.algorithms);
    const file = path.join(this.folder, String(this.files++));
    try {
      await write(body, file, (chunk) => {
        meter.update(chunk);
        options.written?.(chunk);
      });
      const checksums = meter.digest();
      options.verify?.(meter.size, checksums);
      return { file, size: meter.size, checksums };
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  }

  /** Turns received bytes into an object, or discards them if a condition is not met. */
  async commit(
    bucketName: string,
    key: string,
    received: ReceivedBytes,
    options: ObjectOptions = {},
  ): Promise<StoredObject> {
    const bucket = this.bucket(bucketName);
    const previous = bucket.get(key);
    if (options.onlyIfAbsent === true && previous !== undefined) {
      await this.discard(received);
      throw new S3Error('PreconditionFailed', `the object '${key}' already exists`);
    }
    const object = describe(key, received, options);
    bucket.set(key, object);
    if (previous !== undefined) await rm(previous.file);
    return object;
  }

  async discard(received: ReceivedBytes): Promise<void> {
    await rm(received.file);
  }

  head(bucketName: string, key: string): StoredObject {
    const object = this.bucket(bucketName).get(key);
    if (object === undefined)
      throw new S3Error('NoSuchKey', `there is no object '${key}' in '${bucketName}'`);
    return object;
  }

  /** A descriptor of the object's file. It stays valid when the object is overwritten or deleted. */
  open(object: StoredObject): number {
    return fs.openSync(object.file, 'r');
  }

  read(object: StoredObject): Readable {
    if (object.size === 0) return Readable.from([]);
    return fs.createReadStream('', { fd: this.open(object), highWaterMark: 1 << 20 });
  }

  async delete(bucketName: string, key: string): Promise<void> {
    const bucket = this.bucket(bucketName);
    const object = bucket.get(key);
    if (object === undefined) return;
    bucket.delete(key);
    await rm(object.file);
  }

  /** All objects below a prefix in S3's order: by the bytes of their keys in UTF-8. */
  list(bucketName: string, prefix: string): StoredObject[] {
    const objects = [...this.bucket(bucketName).values()].filter((object) => object.key.startsWith(prefix));
    return objects.sort((a, b) => compareKeys(a.key, b.key));
  }

  private bucket(name: string): Map<string, StoredObject> {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw new S3Error('NoSuchBucket', `there is no bucket '${name}'`);
    return bucket;
  }
}

export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

async function write(
  body: AsyncIterable<Buffer>,
  file: string,
  written: (chunk: Buffer) => void,
): Promise<void> {
  const target = await open(file, 'wx');
  try {
    for await (const chunk of body) {
      await target.writeFile(chunk);
      written(chunk);
    }
  } finally {
    await target.close();
  }
}

function describe(
  key: string,
  { file, size, checksums }: ReceivedBytes,
  { contentType, metadata, partwise }: ObjectOptions,
): StoredObject {
  return {
    key,
    file,
    size,
    etag: partwise?.etag ?? `"${md5Hex(checksums)}"`,
    crc32: partwise?.crc32 ?? { value: checksums.crc32 ?? '', type: 'FULL_OBJECT' },
    lastModified: new Date(),
    contentType: contentType ?? 'binary/octet-stream',
    metadata: metadata ?? {},
  };
}

export function md5Hex(checksums: Checksums): string {
  return Buffer.from(checksums.md5 ?? '', 'base64').toString('hex');
}
