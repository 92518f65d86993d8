/** The items of `--inputs`: they are in S3 already, or in a file or a folder that is uploaded below the location of the batch. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { BatchItemsSignature } from '../../contract/batch';
import { quoted, SlicedInferenceError } from '../../lib/errors';
import { chunkBytes, type UploadTask } from '../upload/checked-content';
import { FILES_AT_ONCE } from '../upload/s3-client';
import { UploadBucket } from '../upload/upload-bucket';
import { inPool } from './in-pool';
import { filesOf, refused, unfit } from './local-files';

export interface Inputs {
  /** The prefix or the key of the items; absent for those of the batch itself. */
  readonly items?: string;
  /** What is uploaded there. */
  readonly local?: string;
  /** Whether it is a folder of requests, which become the lines of one list. */
  readonly arePacked?: boolean;
}

/** @throws SlicedInferenceError for inputs that the batch cannot read */
export function inputsOf(
  inputs: string | undefined,
  { kind, bucket, location, folder }: BatchItemsSignature,
): Inputs {
  if (inputs === undefined) return {};
  if (inputs.startsWith('s3://')) {
    const start = `s3://${bucket}/`;
    if (inputs.startsWith(start)) return { items: inputs.slice(start.length) };
    throw refused(`must be below ${start}${folder}`, quoted(inputs), 'copy the items there');
  }
  const found = fs.existsSync(inputs) ? fs.statSync(inputs) : undefined;
  const isFolder = found?.isDirectory() === true;
  const areInFolder = location.endsWith('/');
  const takes = { folder: areInFolder || kind === 'jsonLines', file: !areInFolder };
  if (isFolder ? !takes.folder : !takes.file || found?.isFile() !== true) {
    const wanted = takes.folder && takes.file ? 'a folder or a file' : takes.folder ? 'a folder' : 'a file';
    const what = `must be ${wanted}, because the items of the batch are of ${kind}, or s3://BUCKET/KEY`;
    throw refused(what, `${found ? 'something else' : 'none'} at ${quoted(inputs)}`, 'check the path');
  }
  const local = fs.realpathSync(inputs);
  const place = `${folder}${placeOf(local)}/`;
  if (isFolder && !areInFolder) return { items: `${place}requests.jsonl`, local, arePacked: true };
  return { items: isFolder ? place : `${place}${path.basename(local)}`, local };
}

/** The same for each call with this path, and another one for the same path of another machine. */
function placeOf(local: string): string {
  return createHash('sha256').update(`${os.hostname()}\0${local}`).digest('hex').slice(0, 12);
}

/**
 * Sends a few files at a time, and none that S3 has already.
 * @throws SlicedInferenceError for what cannot be read or sent, and without files
 */
export async function upload(
  client: S3Client,
  { kind, bucket: bucketName }: BatchItemsSignature,
  { local, items }: Required<Pick<Inputs, 'items' | 'local'>>,
  onFile: (files: number) => void,
): Promise<void> {
  const bucket = new UploadBucket(client, bucketName);
  await inPool(filesOf(local, items, onFile), FILES_AT_ONCE, async ({ file, key }) => {
    if (kind === 'jsonLines') await checkLines(file);
    const { size: bytes } = fs.statSync(file);
    const task = { file, key, bytes, sha256: await digestOf(file, bytes) };
    if (!(await isThere(client, bucketName, task))) await bucket.putFile(task);
  });
}

/** Of an input: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const MAX_LINE_BYTES = 256 * 1024;

const BYTE_ORDER_MARK = '\xef\xbb\xbf';

/** @throws SlicedInferenceError for the first line that would fail the whole batch */
async function checkLines(list: string): Promise<void> {
  let [line, bytes] = [1, 0];
  for await (const chunk of fs.createReadStream(list, 'latin1')) {
    if (line === 1 && bytes === 0 && String(chunk).startsWith(BYTE_ORDER_MARK))
      throw unfit(list, 'JSON Lines without a byte order mark', 'one', 'save it as UTF-8 without it');
    for (const [at, part] of String(chunk).split('\n').entries()) {
      if (at > 0) [line, bytes] = [line + 1, 0];
      bytes += part.length;
      if (bytes <= MAX_LINE_BYTES) continue;
      const what = `line ${line} of ${quoted(list)} must have at most 256 KiB`;
      const advice = 'put its tensors into S3, and let the line name that object';
      throw new SlicedInferenceError(what, 'more', advice);
    }
  }
}

/** A caller may have no permission to look: then the object is sent again. */
async function isThere(
  client: S3Client,
  bucket: string,
  { key, bytes, sha256 }: UploadTask,
): Promise<boolean> {
  try {
    const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return head.ContentLength === bytes && head.Metadata?.sha256 === sha256;
  } catch {
    // The upload says what else is wrong.
    return false;
  }
}

async function digestOf(file: string, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(fs.createReadStream(file, { highWaterMark: chunkBytes(bytes) }), hash);
  return hash.digest('hex');
}
