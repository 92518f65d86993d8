/** One file: skipped when it is there, sent as one object when it is small, else in parts. */
import { SlicedInferenceError } from '../../lib/errors';
import { partBytesOf } from './limits';
import { multipartUpload, type Sending } from './multipart-upload';
import { type UploadBucket, UploadGone } from './upload-bucket';
import { UploadSource } from './upload-source';
import type { UploadOutcome, UploadTask } from './upload-task';

export async function uploadOne(
  task: UploadTask,
  leastPartBytes: number | undefined,
  sending: Sending,
): Promise<UploadOutcome> {
  if (await isPresent(sending.bucket, task)) return 'present';
  const partBytes = partBytesOf(task.bytes, leastPartBytes);
  const source = await UploadSource.open(task);
  try {
    if (task.bytes <= partBytes) return await putWhole(task, source, sending);
    return await multipartUpload(task, partBytes, source, sending);
  } catch (error) {
    if (!(error instanceof UploadGone)) throw error;
    // Another process that uploads the same file, and went on with the same upload, was faster.
    if (await isPresent(sending.bucket, task)) return 'present';
    throw new SlicedInferenceError(
      `the upload of s3://${sending.bucket.name}/${task.key} must stay until it is complete`,
      'its removal by someone else',
      'check the lifecycle rules of the bucket and run the command again',
    );
  } finally {
    await source.close();
  }
}

/** An object under a key that says its content can be wrong only when its writing went wrong. */
async function isPresent(bucket: UploadBucket, { key, bytes, sha256 }: UploadTask): Promise<boolean> {
  const head = await bucket.head(key);
  return head?.bytes === bytes && (head.sha256 ?? sha256) === sha256;
}

async function putWhole(task: UploadTask, source: UploadSource, sending: Sending): Promise<UploadOutcome> {
  const { bucket, buffers, onBytes } = sending;
  const buffer = await buffers.take();
  try {
    const bytes = buffer.subarray(0, task.bytes);
    await source.readNext(bytes, 0);
    source.checkedCrc32();
    await bucket.put(task.key, bytes, { sha256: task.sha256 });
    onBytes(task.bytes);
    return 'uploaded';
  } finally {
    buffers.giveBack(buffer);
  }
}
