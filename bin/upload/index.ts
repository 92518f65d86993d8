/**
 * Uploads files to S3 under keys that contain their digests. Complete objects are not sent again, so the next upload after
 * a failure continues with the missing files.
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { inParallel } from '../../lambda/store/ranged-read';
import type { UploadTask } from './checked-content';
import { FILES_AT_ONCE, stoppedBy } from './s3-client';
import { UploadBucket } from './upload-bucket';

export type { UploadTask } from './checked-content';
export { uploadClient } from './s3-client';

export interface UploadProgress {
  /** Bytes that are in S3, sent now or earlier. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

interface UploadOptions {
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
  { onProgress, signal }: UploadOptions = {},
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
  const bucket = new UploadBucket(stoppedBy(client, stop), bucketName);
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
