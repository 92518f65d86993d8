/**
 * Holds unfinished multipart uploads. Each part is a file of the store. Completion streams the parts into one new file.
 */
import { createHash, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { Readable } from 'node:stream';
import { crc32Base64 } from '../../../lambda/store/crc32';
import { S3Error } from '../errors';
import {
  type ChecksumType,
  compareKeys,
  md5Hex,
  type ObjectCrc32,
  type ObjectOptions,
  type DiskObjectStore,
  type ReceivedBytes,
  type ReceiveOptions,
  type StoredObject,
} from '../store';

/** Properties that the client sets when an upload begins. */
interface NewUpload {
  readonly contentType?: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The type of the object's CRC32, if the client asked for one. */
  readonly checksumType?: ChecksumType;
}

export interface MultipartUpload extends NewUpload {
  /** Ids sort in the order in which uploads begin. */
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly initiated: Date;
}

export interface StoredPart {
  readonly number: number;
  /** Quoted hexadecimal MD5. */
  readonly etag: string;
  /** Base64. */
  readonly crc32: string;
  readonly lastModified: Date;
  readonly received: ReceivedBytes;
}

type PartsByNumber = Map<number, StoredPart>;

export class MultipartUploads {
  private readonly unfinished = new Map<MultipartUpload, PartsByNumber>();
  private count = 0;

  constructor(private readonly store: DiskObjectStore) {}

  create(bucket: string, key: string, options: NewUpload): MultipartUpload {
    this.store.checkKey(bucket, key);
    const id = `${String(this.count++).padStart(8, '0')}-${randomUUID()}`;
    const upload: MultipartUpload = { ...options, id, bucket, key, initiated: new Date() };
    this.unfinished.set(upload, new Map());
    return upload;
  }

  find(bucket: string, key: string, id: string): MultipartUpload {
    for (const upload of this.list(bucket)) if (upload.key === key && upload.id === id) return upload;
    throw new S3Error('NoSuchUpload', `there is no unfinished upload '${id}' of '${key}'`);
  }

  /** The unfinished uploads of a bucket, by key in byte order, then by id. */
  list(bucket: string): MultipartUpload[] {
    this.store.checkBucket(bucket);
    return [...this.unfinished.keys()]
      .filter((upload) => upload.bucket === bucket)
      .sort((a, b) => compareKeys(a.key, b.key) || compareKeys(a.id, b.id));
  }

  /** The parts in the order of their numbers. */
  parts(upload: MultipartUpload): StoredPart[] {
    return [...this.partsByNumber(upload).values()].sort((a, b) => a.number - b.number);
  }

  /** Adds a part. Replaces an earlier part with the same number. */
  async addPart(
    upload: MultipartUpload,
    number: number,
    body: Readable,
    options: ReceiveOptions,
  ): Promise<StoredPart> {
    const received = await this.store.receive(body, options);
    const parts = this.unfinished.get(upload);
    if (parts === undefined) {
      await this.store.discard(received);
      throw ended(upload);
    }
    const { checksums } = received;
    const part: StoredPart = {
      number,
      received,
      etag: `"${md5Hex(checksums)}"`,
      crc32: checksums.crc32 ?? '',
      lastModified: new Date(),
    };
    const previous = parts.get(number);
    parts.set(number, part);
    if (previous !== undefined) await this.store.discard(previous.received);
    return part;
  }

  /** Joins the chosen parts into an object and discards the others. If it fails, the upload stays unchanged. */
  async complete(
    upload: MultipartUpload,
    chosen: readonly StoredPart[],
    options: Pick<ObjectOptions, 'onlyIfAbsent'> & Pick<ReceiveOptions, 'verify'>,
  ): Promise<StoredObject> {
    const parts = this.partsByNumber(upload);
    // Remove the upload first, so that no other request changes it while its parts are read.
    this.unfinished.delete(upload);
    const object = await this.join(upload, chosen, options).catch((error: unknown) => {
      this.unfinished.set(upload, parts);
      throw error;
    });
    await this.discard(parts);
    return object;
  }

  async abort(upload: MultipartUpload): Promise<void> {
    const parts = this.partsByNumber(upload);
    this.unfinished.delete(upload);
    await this.discard(parts);
  }

  private async join(
    upload: MultipartUpload,
    parts: readonly StoredPart[],
    { onlyIfAbsent, verify }: Pick<ObjectOptions, 'onlyIfAbsent'> & Pick<ReceiveOptions, 'verify'>,
  ): Promise<StoredObject> {
    const joined = await this.store.receive(Readable.from(contentOf(parts)), { verify });
    return this.store.commit(upload.bucket, upload.key, joined, {
      onlyIfAbsent,
      contentType: upload.contentType,
      metadata: upload.metadata,
      partwise: {
        etag: partwiseETag(parts),
        crc32: upload.checksumType === 'COMPOSITE' ? compositeCrc32(parts) : undefined,
      },
    });
  }

  private partsByNumber(upload: MultipartUpload): PartsByNumber {
    const parts = this.unfinished.get(upload);
    if (parts === undefined) throw ended(upload);
    return parts;
  }

  private async discard(parts: PartsByNumber): Promise<void> {
    for (const { received } of parts.values()) await this.store.discard(received);
  }
}

/** The MD5 of the parts' MD5s, then the number of parts. */
function partwiseETag(parts: readonly StoredPart[]): string {
  const hash = createHash('md5');
  for (const { etag } of parts) hash.update(Buffer.from(etag.slice(1, -1), 'hex'));
  return `"${hash.digest('hex')}-${parts.length}"`;
}

export function compositeCrc32(parts: readonly StoredPart[]): ObjectCrc32 {
  const crc32 = crc32Base64(parts.map((part) => Buffer.from(part.crc32, 'base64')));
  return { value: `${crc32}-${parts.length}`, type: 'COMPOSITE' };
}

async function* contentOf(parts: readonly StoredPart[]): AsyncGenerator<Buffer> {
  for (const { received } of parts) {
    for await (const bytes of fs.createReadStream(received.file, { highWaterMark: 1 << 20 })) {
      yield bytes as Buffer;
    }
  }
}

function ended(upload: MultipartUpload): S3Error {
  return new S3Error('NoSuchUpload', `the upload '${upload.id}' of '${upload.key}' has ended`);
}
