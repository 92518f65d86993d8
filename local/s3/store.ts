/**
 * Stores objects as immutable files whose names are numbers, and keeps the buckets' indexes in memory. No key can lead out
 * of the folder, an overwrite never disturbs a reader, and of two conditional writes exactly one commits.
 */
import * as fs from 'node:fs';
import { open, rm } from 'node:fs/promises';
import * as path from 'node:path';
import type { Readable } from 'node:stream';
import { type ChecksumAlgorithm, ChecksumMeter, type Checksums } from './checksums';
import { checkAgain, checkWrite, type WriteCondition } from './conditions';
import { noSuchKey, S3Error } from './errors';
import { type ObjectMetadata, type StoredObject, ObjectIndex } from './object-index';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1024;

export type { ObjectMetadata, StoredObject } from './object-index';

/** First and last byte, both inclusive. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** Bytes in a file of the store that has no key yet. */
export interface ReceivedBytes {
  readonly file: string;
  readonly size: number;
  readonly checksums: Checksums;
}

export interface ReceiveOptions {
  /** Checksums to compute besides MD5. */
  readonly algorithms?: readonly ChecksumAlgorithm[];
  /** Called after the last byte; throws to refuse the bytes. */
  readonly verify?: (size: number, checksums: Checksums) => void;
  /** Called with each chunk once it is written and the store no longer needs it. */
  readonly written?: (chunk: Buffer) => void;
}

export interface ObjectOptions extends Partial<ObjectMetadata> {
  readonly condition?: WriteCondition;
  /** @default crc32 */
  readonly checksum?: ChecksumAlgorithm;
  /** @default - the MD5 of the bytes */
  readonly etag?: string;
}

export interface CreatedObject {
  readonly bucket: string;
  readonly object: StoredObject;
}

export class DiskObjectStore {
  private readonly buckets = new Map<string, ObjectIndex>();
  /** The sorted keys of buckets that did not get or lose a key since they were listed. */
  private readonly sorted = new Map<string, readonly string[]>();
  private files = 0;
  /** With its buckets. */
  readonly createdAt = new Date();

  /** @param onCreated is called after each write, and must not throw */
  constructor(
    private readonly folder: string,
    private readonly onCreated: (created: CreatedObject) => void = () => undefined,
  ) {
    fs.mkdirSync(folder, { recursive: true });
  }

  createBucket(name: string): void {
    if (!this.buckets.has(name)) this.buckets.set(name, new ObjectIndex());
  }

  bucketNames(): string[] {
    return [...this.buckets.keys()].sort(compareKeys);
  }

  async put(
    bucketName: string,
    key: string,
    body: Readable,
    options: ObjectOptions & ReceiveOptions = {},
  ): Promise<StoredObject> {
    this.checkWrite(bucketName, key, options.condition);
    const algorithms = [...(options.algorithms ?? []), options.checksum ?? 'crc32'];
    return this.commit(bucketName, key, await this.receive(body, { ...options, algorithms }), options);
  }

  checkBucket(name: string): void {
    this.bucket(name);
  }

  checkKey(bucketName: string, key: string): void {
    this.checkBucket(bucketName);
    const size = Buffer.byteLength(key);
    if (size > MAX_KEY_BYTES) {
      throw new S3Error('KeyTooLongError', undefined, { Size: size, MaxSizeAllowed: MAX_KEY_BYTES });
    }
  }

  /** Checks the condition before the body is read. `commit` checks it again. */
  checkWrite(bucketName: string, key: string, condition?: WriteCondition): void {
    this.checkKey(bucketName, key);
    checkWrite(key, condition, this.find(bucketName, key));
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
      const checksums = await meter.digest();
      options.verify?.(meter.size, checksums);
      return { file, size: meter.size, checksums };
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  }

  /** @throws S3Error when the condition of the write no longer holds; the bytes are discarded */
  async commit(
    bucketName: string,
    key: string,
    received: ReceivedBytes,
    options: ObjectOptions,
  ): Promise<StoredObject> {
    const bucket = this.bucket(bucketName);
    const previous = bucket.get(key);
    try {
      checkAgain(key, options.condition, previous);
    } catch (error) {
      await this.discard(received);
      throw error;
    }
    const object = describe(key, received, options);
    bucket.set(object);
    if (previous === undefined) this.sorted.delete(bucketName);
    if (previous !== undefined) await rm(previous.file);
    this.onCreated({ bucket: bucketName, object });
    return object;
  }

  async discard(received: ReceivedBytes): Promise<void> {
    await rm(received.file);
  }

  head(bucketName: string, key: string): StoredObject {
    const object = this.find(bucketName, key);
    if (object === undefined) throw noSuchKey(key);
    return object;
  }

  find(bucketName: string, key: string): StoredObject | undefined {
    return this.bucket(bucketName).get(key);
  }

  /** A descriptor of the object's file. It stays valid when the object is overwritten or deleted. */
  open(object: StoredObject): number {
    return fs.openSync(object.file, 'r');
  }

  /** The caller must read or destroy the stream, because the file is open until then. */
  read(object: StoredObject): Readable {
    return fs.createReadStream('', { fd: this.open(object), highWaterMark: 1 << 20 });
  }

  async delete(bucketName: string, key: string): Promise<void> {
    const bucket = this.bucket(bucketName);
    const object = bucket.get(key);
    if (object === undefined) return;
    bucket.delete(key);
    this.sorted.delete(bucketName);
    await rm(object.file);
  }

  /** The objects below a prefix in S3's order: by the bytes of their keys in UTF-8. */
  *list(bucketName: string, prefix: string): Generator<StoredObject, void> {
    const bucket = this.bucket(bucketName);
    const keys = this.sorted.get(bucketName) ?? [...bucket.keys()].sort(compareKeys);
    this.sorted.set(bucketName, keys);
    for (const key of keys) {
      const object = key.startsWith(prefix) ? bucket.get(key) : undefined;
      if (object !== undefined) yield object;
    }
  }

  private bucket(name: string): ObjectIndex {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw new S3Error('NoSuchBucket', undefined, { BucketName: name });
    return bucket;
  }
}

/** Compares by the bytes of UTF-8. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Reads the others if the disk refuses a chunk: the client would otherwise see a broken connection instead of an error. */
async function write(
  body: AsyncIterable<Buffer>,
  file: string,
  written: (chunk: Buffer) => void,
): Promise<void> {
  const target = await open(file, 'wx');
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const chunk of body) {
      if (failure !== undefined) continue;
      try {
        await target.writeFile(chunk);
        written(chunk);
      } catch (error) {
        failure = { error };
      }
    }
  } finally {
    await target.close();
  }
  if (failure !== undefined) throw failure.error;
}

function describe(
  key: string,
  { file, size, checksums }: ReceivedBytes,
  { contentType, metadata = {}, checksum = 'crc32', etag }: ObjectOptions,
): StoredObject {
  return {
    key,
    file,
    size,
    etag: etag ?? `"${md5Hex(checksums)}"`,
    checksum: { algorithm: checksum, value: checksums[checksum] ?? '' },
    lastModified: new Date(),
    contentType: contentType ?? 'binary/octet-stream',
    metadata,
  };
}

export function md5Hex(checksums: Checksums): string {
  return Buffer.from(checksums.md5 ?? '', 'base64').toString('hex');
}
