/** Sizes and counts of uploads, each with its reason. */
import type { UploadTask } from './upload-task';

const MIB = 1024 * 1024;

/** Larger parts cost memory, smaller parts cost requests; a broken connection costs one part. S3's minimum is 5 MiB. */
export const DEFAULT_PART_BYTES = 16 * MIB;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MAX_PARTS = 10_000;

/** Parts in flight for all files together: enough for 1 Gbit/s at a round trip of 100 ms to S3. */
export const PARTS_IN_FLIGHT = 8;

/** Bytes of files in memory at a time, for any size of parts. */
export const PART_MEMORY_BYTES = PARTS_IN_FLIGHT * DEFAULT_PART_BYTES;

/** Files checked or sent at a time. They share the parts in flight. */
export const FILES_AT_ONCE = 8;

/** One connection for each part in flight, and one for each file that is being checked. */
export const MAX_CONNECTIONS = PARTS_IN_FLIGHT + FILES_AT_ONCE;

/** Attempts at one request that is throttled, times out or loses its connection. */
export const ATTEMPTS = 5;

/** Part size in bytes for a file: whole MiB, at most 10,000 parts. A file up to this size is sent as one object. */
export function partBytesOf(bytes: number, least = DEFAULT_PART_BYTES): number {
  return Math.max(least, Math.ceil(bytes / MAX_PARTS / MIB) * MIB);
}

/** Memory in bytes for one part, or for the whole file if it is smaller. */
export function bufferBytesOf({ bytes }: UploadTask, least?: number): number {
  return Math.min(bytes, partBytesOf(bytes, least));
}
