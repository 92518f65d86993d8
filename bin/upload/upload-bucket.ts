/** Sends the S3 requests of an upload, and explains their failures in terms of the upload. */
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
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
    private readonly client: S3Client,
    private readonly name: string,
  ) {}

  /**
   * Sends the file, a large one in parts. S3 checks the SHA-256 of a file in one part, and the CRC32 of each part otherwise.
   * If that fails, S3 removes the parts.
   */
  async putFile(task: UploadTask): Promise<void> {
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
    const permission = isWhole ? 's3:PutObject' : 's3:PutObject and s3:AbortMultipartUpload';
    try {
      await upload.done();
    } catch (error) {
      const bucket = this.name;
      const uri = `s3://${bucket}/${key}`;
      throw explainS3Error(error, { bucket, uri, permission, region: await this.region() });
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
