/** Sends the S3 requests of an upload, and explains their failures in terms of the upload. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { explainS3Error } from './s3-errors';

interface ObjectHead {
  readonly bytes: number;
  /** From the object's metadata, if its writer stored the digest there. */
  readonly sha256?: string;
}

interface PutProperties {
  /** Lower-case hexadecimal. S3 refuses other bytes, and stores the digest as metadata. */
  readonly sha256?: string;
  readonly contentType?: string;
}

/** A multipart upload that is not finished. */
export interface OpenUpload {
  readonly key: string;
  readonly id: string;
}

export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
  /** Base64. S3 computes and lists it for uploads that `begin` started. */
  readonly crc32?: string;
}

export interface ListedPart extends UploadedPart {
  readonly bytes: number;
}

/** The upload was completed or aborted by someone else, or by a lifecycle rule. */
export class UploadGone extends Error {
  override readonly name = 'UploadGone';
}

export class UploadBucket {
  /** @param kmsKeyId encrypts new objects with this key instead of the bucket's default */
  constructor(
    private readonly client: S3Client,
    readonly name: string,
    private readonly kmsKeyId?: string,
  ) {}

  /** The size and digest of the object under a key; `undefined` if there is no object. */
  async head(key: string): Promise<ObjectHead | undefined> {
    const answer = await this.request(key, 's3:GetObject and s3:ListBucket', () => this.sendHead(key));
    if (answer === undefined) return undefined;
    return { bytes: answer.ContentLength ?? 0, sha256: answer.Metadata?.sha256 };
  }

  async put(key: string, bytes: Uint8Array, { sha256, contentType }: PutProperties): Promise<void> {
    const command = new PutObjectCommand({
      ...this.at(key),
      ...this.encryption(),
      Body: bytes,
      ContentType: contentType,
      ...(sha256 !== undefined && {
        ChecksumAlgorithm: 'SHA256',
        ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
        Metadata: { sha256 },
      }),
    });
    await this.request(key, 's3:PutObject', () => this.client.send(command));
  }

  /** The unfinished uploads of exactly this key that have the checksum settings of `begin`. */
  async openUploads(key: string): Promise<OpenUpload[]> {
    const found: OpenUpload[] = [];
    let page: Partial<ListMultipartUploadsCommandOutput> = { IsTruncated: true };
    while (page.IsTruncated === true) {
      const command = new ListMultipartUploadsCommand({
        Bucket: this.name,
        Prefix: key,
        KeyMarker: page.NextKeyMarker,
        UploadIdMarker: page.NextUploadIdMarker,
      });
      page = await this.request(key, 's3:ListBucketMultipartUploads', () => this.client.send(command));
      for (const { Key, UploadId, ChecksumAlgorithm, ChecksumType } of page.Uploads ?? []) {
        const isResumable = ChecksumAlgorithm === 'CRC32' && ChecksumType === 'FULL_OBJECT';
        if (Key === key && UploadId !== undefined && isResumable) found.push({ key, id: UploadId });
      }
    }
    return found;
  }

  async begin(key: string, sha256: string): Promise<OpenUpload> {
    const command = new CreateMultipartUploadCommand({
      ...this.at(key),
      ...this.encryption(),
      // S3 then also checks the whole object on completion, not only each part.
      ChecksumAlgorithm: 'CRC32',
      ChecksumType: 'FULL_OBJECT',
      Metadata: { sha256 },
    });
    const { UploadId: id = '' } = await this.request(key, 's3:PutObject', () => this.client.send(command));
    return { key, id };
  }

  /** The parts that S3 has, by number. */
  async parts(upload: OpenUpload): Promise<ReadonlyMap<number, ListedPart>> {
    const parts = new Map<number, ListedPart>();
    let page: Partial<ListPartsCommandOutput> = { IsTruncated: true };
    while (page.IsTruncated === true) {
      const command = new ListPartsCommand({
        ...this.of(upload),
        PartNumberMarker: page.NextPartNumberMarker,
      });
      page = await this.request(upload.key, 's3:ListMultipartUploadParts', () => this.client.send(command));
      for (const { PartNumber: number = 0, ETag: etag = '', Size: bytes = -1, ChecksumCRC32 } of page.Parts ??
        []) {
        parts.set(number, { number, etag, bytes, crc32: ChecksumCRC32 });
      }
    }
    return parts;
  }

  /** @param crc32 of the part, in base64; S3 refuses other bytes */
  async putPart(upload: OpenUpload, number: number, bytes: Uint8Array, crc32: string): Promise<UploadedPart> {
    const command = new UploadPartCommand({
      ...this.of(upload),
      PartNumber: number,
      Body: bytes,
      ChecksumCRC32: crc32,
    });
    const { ETag: etag = '' } = await this.request(upload.key, 's3:PutObject', () =>
      this.client.send(command),
    );
    return { number, etag, crc32 };
  }

  /** @param crc32 of the whole object, in base64; S3 refuses parts with other content */
  async complete(
    upload: OpenUpload,
    parts: readonly UploadedPart[],
    bytes: number,
    crc32: string,
  ): Promise<void> {
    const command = new CompleteMultipartUploadCommand({
      ...this.of(upload),
      ChecksumType: 'FULL_OBJECT',
      ChecksumCRC32: crc32,
      MpuObjectSize: bytes,
      MultipartUpload: {
        Parts: parts.map((part) => ({
          PartNumber: part.number,
          ETag: part.etag,
          ChecksumCRC32: part.crc32,
        })),
      },
    });
    await this.request(upload.key, 's3:PutObject', () => this.client.send(command));
  }

  async abort(upload: OpenUpload): Promise<void> {
    const command = new AbortMultipartUploadCommand(this.of(upload));
    await this.request(upload.key, 's3:AbortMultipartUpload', () => this.client.send(command));
  }

  /** A refused HEAD request has no body with the reason, so the request is repeated with GET. */
  private async sendHead(key: string): Promise<HeadObjectCommandOutput | undefined> {
    try {
      return await this.client.send(new HeadObjectCommand(this.at(key)));
    } catch (error) {
      const status = error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;
      if (status === 404) return undefined;
      if (status < 300 || status >= 500) throw error;
      const { Body } = await this.client.send(new GetObjectCommand({ ...this.at(key), Range: 'bytes=0-0' }));
      await Body?.transformToByteArray();
      throw error;
    }
  }

  private async request<T>(key: string, permission: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchUpload') {
        throw new UploadGone(error.message, { cause: error });
      }
      throw explainS3Error(error, {
        bucket: this.name,
        uri: `s3://${this.name}/${key}`,
        permission,
        region: await this.region(),
      });
    }
  }

  private async region(): Promise<string | undefined> {
    try {
      return await this.client.config.region();
    } catch {
      // Without a region the request itself has failed, and its error says so.
      return undefined;
    }
  }

  private at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.name, Key: key };
  }

  private of({ key, id }: OpenUpload) {
    return { ...this.at(key), UploadId: id };
  }

  private encryption() {
    if (this.kmsKeyId === undefined) return {};
    return { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: this.kmsKeyId } as const;
  }
}
