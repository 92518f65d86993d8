/** Sizes and counts of an upload, each with its reason. */
import type { UploadTask } from './upload-task';

const MIB = 1024 * 1024;

/** Larger parts cost memory, smaller ones requests; a broken connection costs one part. At least 5 MiB in S3. */
export const DEFAULT_PART_BYTES = 16 * MIB;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MAX_PARTS = 10_000;

/** Parts in flight over all files: enough for a gigabit a second with 100 ms to S3 and back. */
export const PARTS_IN_FLIGHT = 8;

/** Bytes of files held in memory at a time, however large the parts are. */
export const PART_MEMORY_BYTES = PARTS_IN_FLIGHT * DEFAULT_PART_BYTES;

/** Files looked at or sent at a time; the parts in flight are shared by all of them. */
export const FILES_AT_ONCE = 8;

/** Each part in flight needs a connection, and looking at the next files some more. */
export const MAX_CONNECTIONS = PARTS_IN_FLIGHT + FILES_AT_ONCE;

/** Attempts at one request that is throttled, times out or loses its connection. */
export const ATTEMPTS = 5;

/** A file up to this size goes as one object, a larger one in parts of this size. Whole MiB, at most 10,000 parts. */
export function partBytesOf(bytes: number, least = DEFAULT_PART_BYTES): number {
  return Math.max(least, Math.ceil(bytes / MAX_PARTS / MIB) * MIB);
}

/** Memory for one part, or for the whole of a smaller file. */
export function bufferBytesOf({ bytes }: UploadTask, least?: number): number {
  return Math.min(bytes, partBytesOf(bytes, least));
}
