/** Uploads one file: skips it if S3 has it, sends a small file as one object and a large file in parts. */
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
    // Another process may have resumed the same upload and completed it first.
    if (await isPresent(sending.bucket, task)) return 'present';
    throw new SlicedInferenceError(
      `the upload of s3://${sending.bucket.name}/${task.key} must exist until it is complete`,
      'an upload that someone else removed',
      'check the lifecycle rules of the bucket and run the command again',
    );
  } finally {
    await source.close();
  }
}

/** The key contains the file's digest, so an object of the right size has wrong content only if its writer failed. */
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
