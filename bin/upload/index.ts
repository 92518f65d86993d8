/**
 * Uploads files to S3 under keys that contain their digests. Complete objects are not sent again, so the next upload after
 * a failure continues with the missing files.
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { inParallel } from '../../lambda/store/ranged-read';
import type { UploadTask } from './checked-content';
import { FILES_AT_ONCE, stoppedBy } from './s3-client';
import { UploadBucket } from './upload-bucket';
import { SlicedInferenceError, quoted } from '../../lib/errors';
import { prefixFault } from '../../lib/plan/file/plan';

export type { UploadTask } from './checked-content';
export { uploadClient } from './s3-client';

export interface UploadProgress {
  /** Bytes that are in S3, sent now or earlier. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

interface UploadOptions {
  /** Id, alias or ARN of a KMS key. @default - the bucket's default encryption */
  readonly kmsKeyId?: string;
  readonly onProgress?: (progress: UploadProgress) => void;
  /** Stops the upload, which then fails with the signal's reason. */
  readonly signal?: AbortSignal;
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
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const done = new Map<UploadTask, number>();
  const update = (task: UploadTask, bytes: number): void => {
    done.set(task, bytes);
    const doneBytes = [...done.values()].reduce((sum, each) => sum + each, 0);
    onProgress?.({ doneBytes, totalBytes });
  };
  const failure = new AbortController();
  const stop = AbortSignal.any([failure.signal, ...(signal ? [signal] : [])]);
  const bucket = new UploadBucket(stoppedBy(client, stop), bucketName, kmsKeyId);
  await inParallel(files, FILES_AT_ONCE, async (task) => {
    if (stop.aborted) return;
    try {
      if (!(await bucket.has(task))) {
        await bucket.putFile(task, (bytes) => {
          update(task, bytes);
        });
      }
      update(task, task.bytes);
    } catch (error) {
      // Thrown below, when the requests of the other files have ended.
      failure.abort(error);
    }
  });
  stop.throwIfAborted();
}

/** Writes a small JSON object that refers to uploaded files, such as a plan. Call it after all files are uploaded. */
export async function uploadText(
  client: S3Client,
  bucket: string,
  key: string,
  text: string,
  { kmsKeyId }: Pick<UploadOptions, 'kmsKeyId'> = {},
): Promise<void> {
  await new UploadBucket(client, bucket, kmsKeyId).putText(key, text);
}

const SCHEME = 's3://';

/** The prefix ends without a slash, and is empty for the bucket itself. @throws SlicedInferenceError for another text */
export function parseS3Uri(text: string) {
  if (!text.startsWith(SCHEME)) throw badUri(text, `it must begin with ${SCHEME} and the name of a bucket`);
  const [bucket, ...segments] = text.slice(SCHEME.length).split('/');
  const prefix = segments.join('/').replace(/\/$/, '');
  const fault = bucketFault(bucket) ?? prefixFault(prefix);
  if (fault !== undefined) throw badUri(text, fault);
  return { bucket, prefix };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function bucketFault(bucket: string): string | undefined {
  const isName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket);
  if (isName && !bucket.includes('..') && !/^\d+\.\d+\.\d+\.\d+$/.test(bucket)) return undefined;
  return 'the name of a bucket has 3 to 63 lower-case letters, digits, dots and hyphens between letters or digits, no two dots in a row, and is no IP address';
}

function badUri(text: string, rule: string): SlicedInferenceError {
  return new SlicedInferenceError(
    'an S3 location must have the form s3://bucket or s3://bucket/prefix',
    quoted(text),
    rule,
  );
}
