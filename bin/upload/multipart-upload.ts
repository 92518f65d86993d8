/** Uploads one large file in parts, without the parts that an earlier, unfinished upload has already sent. */
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
  /** When aborted, no further parts are sent. */
  readonly signal: AbortSignal;
  /** Called with the size of each part once S3 has the part. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * If it fails, the upload stays unfinished so that the next attempt can resume it.
 * @throws UploadGone when the upload is completed or aborted by someone else
 */
export async function multipartUpload(
  task: UploadTask,
  partBytes: number,
  source: UploadSource,
  sending: Sending,
): Promise<UploadOutcome> {
  const { bucket } = sending;
  const earlier = await mostComplete(bucket, task, partBytes);
  const upload = earlier?.upload ?? (await bucket.begin(task.key, task.sha256));
  const parts = await sendParts(task, partBytes, source, sending, {
    upload,
    present: earlier?.parts ?? new Map(),
  });
  const crc32 = await checkedCrc32(bucket, upload, source);
  await bucket.complete(upload, parts, task.bytes, crc32);
  return earlier === undefined ? 'uploaded' : 'resumed';
}

/** Of several unfinished uploads of this key, the one with the most usable parts. */
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
  /** Parts that S3 already has, by number. */
  readonly present: ReadonlyMap<number, ListedPart>;
}

/**
 * Reads all parts in order, because the digest needs every byte, and sends the missing ones, several at a time. Waits for
 * all requests in flight even when one fails, because a part that arrives need not be sent again.
 */
async function sendParts(
  { bytes }: UploadTask,
  partBytes: number,
  source: UploadSource,
  { bucket, buffers, signal, onBytes }: Sending,
  { upload, present }: Begun,
): Promise<UploadedPart[]> {
  const parts: UploadedPart[] = [];
  const sends = new Group();
  const sendPart = async (number: number, part: Buffer): Promise<void> => {
    const crc32 = crc32Base64([part]);
    const listed = present.get(number);
    const isPresent = listed?.bytes === part.length && (listed.crc32 ?? crc32) === crc32;
    parts[number - 1] = isPresent ? listed : await bucket.putPart(upload, number, part, crc32);
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

/** Aborts the upload if the file has other content than its digest says: nobody must resume these parts. */
async function checkedCrc32(bucket: UploadBucket, upload: OpenUpload, source: UploadSource): Promise<string> {
  try {
    return source.checkedCrc32();
  } catch (error) {
    await bucket.abort(upload);
    throw error;
  }
}
