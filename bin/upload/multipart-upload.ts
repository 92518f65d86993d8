/** One large file: what an earlier, unfinished upload has of it stays, and only the rest is sent. */
import { crc32Base64 } from '../../lambda/store/crc32';
import { partsOf } from '../../lambda/store/ranged-read';
import { Group } from './group';
import type { PartBuffers } from './part-buffers';
import type { ListedPart, OpenUpload, UploadBucket, UploadedPart } from './upload-bucket';
import type { UploadSource } from './upload-source';
import type { UploadOutcome, UploadTask } from './upload-task';

export interface Sending {
  readonly bucket: UploadBucket;
  readonly buffers: PartBuffers;
  /** Stops the sending of further parts. */
  readonly signal: AbortSignal;
  /** Called with the bytes of each part once S3 has it. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Leaves the upload unfinished when it fails, for the next one to go on with.
 * @throws UploadGone when the upload ends meanwhile
 */
export async function multipartUpload(
  task: UploadTask,
  partBytes: number,
  source: UploadSource,
  sending: Sending,
): Promise<UploadOutcome> {
  const { bucket } = sending;
  const left = await mostComplete(bucket, task, partBytes);
  const upload = left?.upload ?? (await bucket.begin(task.key, task.sha256));
  const parts = await sendParts(task, partBytes, source, sending, {
    upload,
    there: left?.parts ?? new Map(),
  });
  const crc32 = await checkedCrc32(bucket, upload, source);
  await bucket.complete(upload, parts, task.bytes, crc32);
  return left === undefined ? 'uploaded' : 'resumed';
}

/** Of several unfinished uploads of this key, that with most of the parts that it will be made of. */
async function mostComplete(
  bucket: UploadBucket,
  { key, bytes }: UploadTask,
  partBytes: number,
): Promise<{ readonly upload: OpenUpload; readonly parts: ReadonlyMap<number, ListedPart> } | undefined> {
  const ranges = partsOf({ start: 0, end: bytes }, partBytes);
  const uploads = await Promise.all(
    (await bucket.openUploads(key)).map(async (upload) => {
      const parts = await bucket.parts(upload);
      const usable = ranges.filter(
        ({ start, end }, index) => parts.get(index + 1)?.bytes === end - start,
      ).length;
      return { upload, parts, usable };
    }),
  );
  return uploads.sort((a, b) => b.usable - a.usable)[0];
}

interface Begun {
  readonly upload: OpenUpload;
  /** What S3 has of it, by number. */
  readonly there: ReadonlyMap<number, ListedPart>;
}

/**
 * Reads all parts in order, as the digest needs, and sends those that are not there, several at a time. Requests in
 * flight end before this does, even when one fails: a part that arrives need not be sent again.
 */
async function sendParts(
  { bytes }: UploadTask,
  partBytes: number,
  source: UploadSource,
  { bucket, buffers, signal, onBytes }: Sending,
  { upload, there }: Begun,
): Promise<UploadedPart[]> {
  const parts: UploadedPart[] = [];
  const sends = new Group();
  const sendPart = async (number: number, part: Buffer): Promise<void> => {
    const crc32 = crc32Base64([part]);
    const listed = there.get(number);
    const isThere = listed?.bytes === part.length && (listed.crc32 ?? crc32) === crc32;
    parts[number - 1] = isThere ? listed : await bucket.putPart(upload, number, part, crc32);
    onBytes(part.length);
  };
  for (const [index, { start, end }] of partsOf({ start: 0, end: bytes }, partBytes).entries()) {
    const buffer = await buffers.take();
    const part = buffer.subarray(0, end - start);
    const isRead = !signal.aborted && !sends.failed && (await sends.run(() => source.readNext(part, start)));
    if (!isRead) {
      buffers.giveBack(buffer);
      break;
    }
    void sends
      .run(() => sendPart(index + 1, part))
      .then(() => {
        buffers.giveBack(buffer);
      });
  }
  await sends.settled();
  signal.throwIfAborted();
  return parts;
}

/** Parts that are not of this content must not wait for somebody to go on with them. */
async function checkedCrc32(bucket: UploadBucket, upload: OpenUpload, source: UploadSource): Promise<string> {
  try {
    return source.checkedCrc32();
  } catch (error) {
    await bucket.abort(upload);
    throw error;
  }
}
