/**
 * Uploads files to S3 under keys that contain their digests, and resumes interrupted uploads.
 *
 * Complete objects and the parts of unfinished uploads are not sent again. This is why an interrupted upload stays in
 * the bucket. A lifecycle rule with `AbortIncompleteMultipartUpload` removes uploads that nobody resumes: see
 * `docs/large-models.md`.
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { SlicedInferenceError, quoted } from '../../lib/errors';
import { inParallel } from '../../lambda/store/ranged-read';
import {
  bufferBytesOf,
  FILES_AT_ONCE,
  DEFAULT_PART_BYTES,
  PART_MEMORY_BYTES,
  PARTS_IN_FLIGHT,
} from './limits';
import { PartBuffers } from './part-buffers';
import { UploadBucket } from './upload-bucket';
import { uploadOne } from './upload-file';
import { Progress, type UploadProgress } from './upload-progress';
import { checkContentAddressed, type UploadOutcome, type UploadTask } from './upload-task';

export { uploadClient, type ClientOptions } from './s3-client';
export { parseS3Uri, type S3Location } from './s3-uri';
export type { UploadProgress } from './upload-progress';
export type { UploadOutcome, UploadTask } from './upload-task';

interface EncryptionOptions {
  /**
   * Id, alias or ARN of a KMS key. A resumed upload keeps the KMS key that it began with.
   * @default - the bucket's default encryption
   */
  readonly kmsKeyId?: string;
}

export interface UploadOptions extends EncryptionOptions {
  readonly onProgress?: (progress: UploadProgress) => void;
  /**
   * Smallest size of a part in bytes, at least 5 MiB. An upload can be resumed only with the same value.
   * @default 16 MiB
   */
  readonly partBytes?: number;
}

interface TextOptions extends EncryptionOptions {
  /** @default 'application/json' */
  readonly contentType?: string;
}

/**
 * Uploads several files at a time, with at most 128 MiB of them in memory. After the first failure it waits for the parts
 * in flight and sends no more. Files with the same key are sent once.
 * @returns the outcome of each file
 * @throws SlicedInferenceError when a file is unusable or S3 refuses a request
 */
export async function uploadAll(
  client: S3Client,
  bucket: string,
  tasks: readonly UploadTask[],
  options: UploadOptions = {},
): Promise<UploadOutcome[]> {
  const byKey = uniqueByKey(tasks);
  const outcomes = new Map<string, UploadOutcome>();
  const sending = {
    bucket: new UploadBucket(client, bucket, options.kmsKeyId),
    buffers: partBuffers(byKey, options.partBytes),
    progress: new Progress(byKey, options.onProgress),
  };
  const stop = new AbortController();
  await inParallel(byKey, FILES_AT_ONCE, async (task) => {
    if (stop.signal.aborted) return;
    const file = { ...sending, signal: stop.signal, onBytes: sending.progress.of(task) };
    try {
      outcomes.set(task.key, await uploadOne(task, options.partBytes, file));
      sending.progress.complete(task);
    } catch (error) {
      // Thrown below, when the requests of the other files have ended.
      stop.abort(error);
    }
  });
  stop.signal.throwIfAborted();
  return tasks.map(({ key }) => outcomes.get(key) ?? 'present');
}

/** Writes a small object that refers to uploaded files, such as a plan. Call it after all files are uploaded. */
export async function uploadText(
  client: S3Client,
  bucket: string,
  key: string,
  text: string,
  { kmsKeyId, contentType = 'application/json' }: TextOptions = {},
): Promise<void> {
  await new UploadBucket(client, bucket, kmsKeyId).put(key, Buffer.from(text), { contentType });
}

function uniqueByKey(tasks: readonly UploadTask[]): UploadTask[] {
  const byKey = new Map<string, UploadTask>();
  for (const task of tasks) {
    checkContentAddressed(task);
    const other = byKey.get(task.key) ?? task;
    if (other.bytes !== task.bytes || other.sha256 !== task.sha256) {
      throw new SlicedInferenceError(
        `key ${quoted(task.key)} must identify one content`,
        `${quoted(other.file)} and ${quoted(task.file)}`,
        'give each file its own key',
      );
    }
    byKey.set(task.key, other);
  }
  return [...byKey.values()];
}

function partBuffers(tasks: readonly UploadTask[], partBytes = DEFAULT_PART_BYTES): PartBuffers {
  const bytes = tasks.reduce((most, task) => Math.max(most, bufferBytesOf(task, partBytes)), 1);
  const count = Math.min(PARTS_IN_FLIGHT, Math.floor(PART_MEMORY_BYTES / bytes));
  return new PartBuffers(Math.max(1, count), bytes);
}
