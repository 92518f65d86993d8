/** Uploads the files of a folder as items. Neither memory nor requests for the list of a bucket grow with their number. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';
import type { UploadTask } from '../upload';
import { FILES_AT_ONCE, stoppedBy } from '../upload/s3-client';
import { UploadBucket } from '../upload/upload-bucket';
import { inPool } from './pool';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1024;

export interface Item {
  readonly file: string;
  readonly key: string;
  readonly bytes: number;
}

export interface Totals {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Reads the folder without sending anything, so that a bad name is refused before the upload begins.
 * @throws SlicedInferenceError for a folder without files, and for what is no readable file with a name that S3 takes
 */
export function checkedItems(folder: string, prefix: string): Totals & { readonly hidden: number } {
  const totals = { files: 0, bytes: 0, hidden: 0 };
  const onHidden = () => totals.hidden++;
  for (const { bytes } of itemsOf(folder, prefix, onHidden)) {
    totals.files++;
    totals.bytes += bytes;
  }
  if (totals.files > 0) return totals;
  throw new SlicedInferenceError(
    '--inputs must be a folder with files',
    `none in ${quoted(folder)}`,
    'check the path',
  );
}

/** Leaves out what begins with a dot, such as `.DS_Store`. */
export function* itemsOf(
  folder: string,
  prefix: string,
  onHidden: () => void = () => undefined,
): Generator<Item> {
  const entries = opened(folder);
  try {
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
      const file = path.join(folder, entry.name);
      if (entry.name.startsWith('.')) onHidden();
      else if (entry.isDirectory()) yield* itemsOf(file, `${prefix}${entry.name}/`, onHidden);
      else yield { file, key: checkedKey(`${prefix}${entry.name}`, file), bytes: sizeOf(file, entry) };
    }
  } finally {
    entries.closeSync();
  }
}

function opened(folder: string): fs.Dir {
  try {
    return fs.opendirSync(folder);
  } catch (error) {
    throw unfit(folder, 'readable', systemReason(error), 'change its permissions');
  }
}

function sizeOf(file: string, entry: fs.Dirent): number {
  if (entry.isSymbolicLink())
    throw unfit(file, 'a file', 'a symbolic link', 'replace it by a copy of what it names');
  if (!entry.isFile()) throw unfit(file, 'a file', 'a device, a pipe or a socket', 'remove it');
  try {
    fs.accessSync(file, fs.constants.R_OK);
    return fs.statSync(file).size;
  } catch (error) {
    throw unfit(file, 'readable', systemReason(error), 'change its permissions');
  }
}

function checkedKey(key: string, file: string): string {
  const length = Buffer.byteLength(key);
  if (length > MAX_KEY_BYTES)
    throw unfit(file, `a key of at most ${MAX_KEY_BYTES} bytes`, `${length}`, 'shorten its name');
  // Node.js puts U+FFFD in place of what is no UTF-8.
  if (!/[\p{Cc}\ufffd]/u.test(key)) return key;
  throw unfit(file, 'named in UTF-8 without control characters', 'another name', 'rename it');
}

function unfit(file: string, what: string, got: string, advice: string): SlicedInferenceError {
  return new SlicedInferenceError(`${quoted(file)} of --inputs must be ${what}`, got, advice);
}

/** Sends a few files at a time, and none that S3 has already. The first failure stops the others. */
export async function uploadItems(
  client: S3Client,
  bucketName: string,
  items: Iterable<Item>,
  { signal, onDone }: { readonly signal: AbortSignal; readonly onDone: (item: Item) => void },
): Promise<void> {
  const failure = new AbortController();
  const stop = AbortSignal.any([failure.signal, signal]);
  const own = stoppedBy(client, stop);
  const bucket = new UploadBucket(own, bucketName);
  await inPool(items, FILES_AT_ONCE, async (item) => {
    try {
      stop.throwIfAborted();
      const task = { ...item, sha256: await digestOf(item.file) };
      if (!(await isThere(own, bucketName, task))) await bucket.putFile(task, () => undefined);
      onDone(item);
    } catch (error) {
      failure.abort(error);
      throw stop.reason;
    }
  });
}

/** A caller may have no permission to look; then the object is sent again, and keeps its ETag. */
async function isThere(
  client: S3Client,
  bucket: string,
  { key, bytes, sha256 }: UploadTask,
): Promise<boolean> {
  try {
    const { ContentLength, Metadata } = await client.send(
      new HeadObjectCommand({ Bucket: bucket, Key: key }),
    );
    return ContentLength === bytes && Metadata?.sha256 === sha256;
  } catch {
    // The upload says what else is wrong.
    return false;
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of fs.createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    throw unfit(file, 'readable', systemReason(error), 'change its permissions');
  }
  return hash.digest('hex');
}

export function itemOf(file: string, key: string): Item[] {
  return [{ file, key: checkedKey(key, file), bytes: fs.statSync(file).size }];
}
