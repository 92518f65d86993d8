/** Sends the S3 requests of an upload, and explains their failures in terms of the upload. */
import { Readable } from 'node:stream';
import * as s3 from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { checkedContent, type UploadTask } from './checked-content';
import { explainS3Error } from './s3-errors';
import { PARTS_AT_ONCE } from './s3-client';

/** Larger parts cost memory, smaller ones requests. A broken connection costs one part. */
export const PART_BYTES = 8 * 1024 * 1024;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;

export class UploadBucket {
  constructor(
    private readonly client: s3.S3Client,
    private readonly name: string,
  ) {}

  /** The key contains the file's digest, so an object of the right size has wrong content only if its writer failed. */
  async has({ key, bytes, sha256 }: UploadTask): Promise<boolean> {
    const head = await this.request(key, 's3:GetObject and s3:ListBucket', () => this.head(key));
    return head?.ContentLength === bytes && (head.Metadata?.sha256 ?? sha256) === sha256;
  }

  /**
   * Sends the file, a large one in parts. S3 checks the SHA-256 of a file in one part, and the CRC32 of each part otherwise.
   * If that fails, S3 removes the parts.
   * @param onBytes called with the bytes of the file that are in S3
   */
  async putFile(task: UploadTask, onBytes: (bytes: number) => void): Promise<void> {
    const { key, bytes, sha256 } = task;
    const partSize = Math.max(PART_BYTES, Math.ceil(bytes / MAX_PARTS));
    const isWhole = bytes <= partSize;
    const upload = new Upload({
      client: this.client,
      partSize,
      queueSize: PARTS_AT_ONCE,
      params: {
        Bucket: this.name,
        Key: key,
        Body: Readable.from(checkedContent(task), { objectMode: false }),
        Metadata: { sha256 },
        ...(isWhole
          ? { ChecksumAlgorithm: 'SHA256', ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') }
          : { ChecksumAlgorithm: 'CRC32' }),
      },
    });
    upload.on('httpUploadProgress', ({ loaded = 0 }) => {
      onBytes(loaded);
    });
    const permission = isWhole ? 's3:PutObject' : 's3:PutObject and s3:AbortMultipartUpload';
    await this.request(key, permission, () => upload.done());
  }

  /** A refused HEAD request has no body with the reason, so the request is repeated with GET. */
  private async head(key: string): Promise<s3.HeadObjectCommandOutput | undefined> {
    const object = { Bucket: this.name, Key: key };
    try {
      return await this.client.send(new s3.HeadObjectCommand(object));
    } catch (error) {
      const status = error instanceof s3.S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;
      if (status === 404) return undefined;
      if (status < 300 || status >= 500) throw error;
      const { Body } = await this.client.send(new s3.GetObjectCommand({ ...object, Range: 'bytes=0-0' }));
      await Body?.transformToByteArray();
      throw error;
    }
  }

  private async request<T>(key: string, permission: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
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
}
