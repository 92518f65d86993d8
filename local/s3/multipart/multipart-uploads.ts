/** Holds unfinished multipart uploads. Each part is a file of the store. Completion streams the parts into one new file. */
import { createHash, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { Readable } from 'node:stream';
import { type ChecksumAlgorithm, type ObjectChecksum, compositeOf, DEFAULT_ALGORITHM } from '../checksums';
import type { WriteCondition } from '../conditions';
import { S3Error } from '../errors';
import type { S3Request } from '../request';
import {
  type DiskObjectStore,
  md5Hex,
  type ObjectMetadata,
  type ReceivedBytes,
  type ReceiveOptions,
  type StoredObject,
} from '../store';

export type UploadChecksum = Pick<ObjectChecksum, 'algorithm' | 'type'>;

interface NewUpload extends ObjectMetadata {
  readonly checksum?: UploadChecksum;
}

export interface MultipartUpload extends NewUpload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
}

export interface StoredPart {
  readonly number: number;
  /** Quoted hexadecimal MD5. */
  readonly etag: string;
  /** Of the upload's algorithm, or of the client's if the upload began without one. */
  readonly checksum?: Pick<ObjectChecksum, 'algorithm' | 'value'>;
  readonly lastModified: Date;
  readonly received: ReceivedBytes;
}

/** S3 computes this checksum of objects whose upload began without one. */
export const WITHOUT_CHECKSUM: UploadChecksum = { algorithm: DEFAULT_ALGORITHM, type: 'FULL_OBJECT' };

type PartsByNumber = Map<number, StoredPart>;

export class MultipartUploads {
  private readonly unfinished = new Map<MultipartUpload, PartsByNumber>();

  constructor(private readonly store: DiskObjectStore) {}

  create(bucket: string, key: string, options: NewUpload): MultipartUpload {
    this.store.checkKey(bucket, key);
    const upload: MultipartUpload = { ...options, id: randomUUID(), bucket, key };
    this.unfinished.set(upload, new Map());
    return upload;
  }

  of({ bucket, key, query }: S3Request): MultipartUpload {
    const id = query.get('uploadId') ?? '';
    this.store.checkBucket(bucket);
    for (const upload of this.unfinished.keys()) {
      if (upload.bucket === bucket && upload.key === key && upload.id === id) return upload;
    }
    throw noSuchUpload(id);
  }

  async addPart(
    upload: MultipartUpload,
    number: number,
    body: Readable,
    options: ReceiveOptions,
    sent?: ChecksumAlgorithm,
  ): Promise<StoredPart> {
    const algorithm = upload.checksum?.algorithm ?? sent;
    const algorithms = [...(options.algorithms ?? []), ...(algorithm === undefined ? [] : [algorithm])];
    const received = await this.store.receive(body, { ...options, algorithms });
    const parts = this.unfinished.get(upload);
    if (parts === undefined) {
      await this.store.discard(received);
      throw noSuchUpload(upload.id);
    }
    const { checksums } = received;
    const part: StoredPart = {
      number,
      received,
      etag: `"${md5Hex(checksums)}"`,
      ...(algorithm !== undefined && { checksum: { algorithm, value: checksums[algorithm] ?? '' } }),
      lastModified: new Date(),
    };
    const previous = parts.get(number);
    parts.set(number, part);
    if (previous !== undefined) await this.store.discard(previous.received);
    return part;
  }

  /** If it fails, the upload stays unchanged. @param verify throws to refuse the whole object */
  async complete(
    upload: MultipartUpload,
    chosen: readonly StoredPart[],
    condition: WriteCondition | undefined,
    verify: (size: number, checksum: string) => void,
  ): Promise<StoredObject> {
    const parts = this.partsByNumber(upload);
    // Remove the upload first, so that no other request changes it while its parts are read.
    this.unfinished.delete(upload);
    try {
      const object = await this.join(upload, chosen, condition, verify);
      await this.discard(parts);
      return object;
    } catch (error) {
      this.unfinished.set(upload, parts);
      throw error;
    }
  }

  async abort(upload: MultipartUpload): Promise<void> {
    const parts = this.partsByNumber(upload);
    this.unfinished.delete(upload);
    await this.discard(parts);
  }

  private async join(
    upload: MultipartUpload,
    parts: readonly StoredPart[],
    condition: WriteCondition | undefined,
    verify: (size: number, checksum: string) => void,
  ): Promise<StoredObject> {
    const { algorithm, type } = upload.checksum ?? WITHOUT_CHECKSUM;
    const write = this.store.beginWrite(upload.bucket, upload.key, condition);
    const sums = parts.map((part) => part.checksum?.value ?? '');
    const composite = type === 'COMPOSITE' ? await compositeOf(algorithm, sums) : undefined;
    const joined = await this.store.receive(Readable.from(contentOf(parts)), {
      algorithms: [algorithm],
      verify: (size, checksums) => {
        verify(size, composite?.value ?? checksums[algorithm] ?? '');
      },
    });
    return write.commit(joined, {
      contentType: upload.contentType,
      metadata: upload.metadata,
      storageClass: upload.storageClass,
      checksum: algorithm,
      partwise: {
        etag: partwiseETag(parts),
        checksum: composite,
        parts: parts.map(({ number, received, checksum }) => ({
          number,
          size: received.size,
          checksum: upload.checksum && checksum?.value,
        })),
      },
    });
  }

  partsByNumber(upload: MultipartUpload): PartsByNumber {
    const parts = this.unfinished.get(upload);
    if (parts === undefined) throw noSuchUpload(upload.id);
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
