/**
 * Uploads files to S3 under keys that contain their digests. Complete objects are not sent again, so the next upload after
 * a failure continues with the missing files.
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { inParallel } from '../../lambda/store/ranged-read';
import { FILES_AT_ONCE } from './s3-client';
import { stopSending } from './stop-sending';
import { UploadBucket } from './upload-bucket';
import { Progress, type UploadProgress } from './upload-progress';
import type { UploadTask } from './upload-task';

export { uploadClient, type ClientOptions } from './s3-client';
export { parseS3Uri, type S3Location } from './s3-uri';
export type { UploadProgress } from './upload-progress';
export type { UploadTask } from './upload-task';

interface EncryptionOptions {
  /**
   * Id, alias or ARN of a KMS key.
   * @default - the bucket's default encryption
   */
  readonly kmsKeyId?: string;
}

export interface UploadOptions extends EncryptionOptions {
  readonly onProgress?: (progress: UploadProgress) => void;
  /** Stops the upload, which then fails with the signal's reason. So does every later upload with this client. */
  readonly signal?: AbortSignal;
}

interface TextOptions extends EncryptionOptions {
  /** @default 'application/json' */
  readonly contentType?: string;
}

/**
 * Uploads several files at a time, with a bounded part of them in memory. Files with the same key are sent once. The first
 * failure stops the other files.
 * @throws SlicedInferenceError when a file is unusable or S3 refuses a request
 */
export async function uploadAll(
  client: S3Client,
  bucketName: string,
  tasks: readonly UploadTask[],
  { kmsKeyId, onProgress, signal }: UploadOptions = {},
): Promise<void> {
  const files = [...new Map(tasks.map((task) => [task.key, task])).values()];
  const bucket = new UploadBucket(client, bucketName, kmsKeyId);
  const progress = new Progress(files, onProgress);
  const failure = new AbortController();
  const stop = AbortSignal.any([failure.signal, ...(signal ? [signal] : [])]);
  stopSending(client, stop);
  await inParallel(files, FILES_AT_ONCE, async (task) => {
    if (stop.aborted) return;
    try {
      if (!(await bucket.has(task))) {
        await bucket.putFile(task, (bytes) => {
          progress.update(task, bytes);
        });
      }
      progress.update(task, task.bytes);
    } catch (error) {
      // Thrown below, when the requests of the other files have ended.
      failure.abort(error);
    }
  });
  stop.throwIfAborted();
}

/** Writes a small object that refers to uploaded files, such as a plan. Call it after all files are uploaded. */
export async function uploadText(
  client: S3Client,
  bucket: string,
  key: string,
  text: string,
  { kmsKeyId, contentType = 'application/json' }: TextOptions = {},
): Promise<void> {
  await new UploadBucket(client, bucket, kmsKeyId).putText(key, text, contentType);
}
