/** Downloads the table and the results of a batch. A file has its name when it is complete, so the same command continues. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { BatchOutput } from '../../contract/batch';
import type { SlicedInferenceBatchRun } from '../../client/batch/batch';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';
import { noteUnfinished } from '../process/unfinished';
import { explainS3Error } from '../upload/s3-errors';
import { stoppedBy } from '../upload/s3-client';
import { inPool } from './pool';

const FILES_AT_ONCE = 8;

/** As often as the client reads a damaged result. */
const MOST_READS = 3;

/** @throws SlicedInferenceError for a path that is no folder, or a folder that cannot be written */
export function prepareFolder(out: string): void {
  try {
    fs.mkdirSync(out, { recursive: true });
    fs.accessSync(out, fs.constants.W_OK);
  } catch (error) {
    throw unwritable(out, error);
  }
}

export interface Downloaded {
  readonly files: number;
  readonly skipped: number;
}

/** Writes `table.jsonl`, and each result below the folder as its key is below the prefix of the batch's results. */
export async function download(
  out: string,
  {
    client,
    batch,
    table,
  }: {
    readonly client: S3Client;
    readonly batch: SlicedInferenceBatchRun;
    readonly table: BatchOutput['table'];
  },
  { signal, onDone }: { readonly signal: AbortSignal; readonly onDone: (count: Downloaded) => void },
): Promise<Downloaded> {
  const count = { files: 0, skipped: 0 };
  const partial = path.join(out, `.partial-${randomBytes(6).toString('hex')}`);
  noteUnfinished({ partial, parents: [] });
  const { bucket, resultsPrefix } = batch.signature;
  const own = stoppedBy(client, signal);
  const fetch = (key: string, file: string) =>
    fetchInto(own, { bucket, key }, file, path.join(partial, randomBytes(6).toString('hex')));
  try {
    fs.mkdirSync(partial);
    await fetch(table.key, path.join(out, 'table.jsonl'));
    await inPool(batch.rows(), FILES_AT_ONCE, async ({ result }) => {
      if (result === undefined) return;
      const file = path.join(out, localPath(result.slice(resultsPrefix.length)));
      if (fs.existsSync(file)) count.skipped++;
      else await fetch(result, file);
      count.files++;
      onDone(count);
    });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : unwritable(out, error);
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
  return count;
}

/** A path below the folder for any key. Two keys have two paths: what a file system may refuse is escaped, and so is the escape. */
export function localPath(key: string): string {
  const names = key.split('/').map((name) => {
    if (/^\.{0,2}$/.test(name)) return name.replaceAll('.', '%2E') || '%';
    return name.replaceAll(
      /[%\p{Cc}\\:*?"<>|]/gu,
      (each) => `%${each.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
  });
  return names.join('/');
}

async function fetchInto(
  client: S3Client,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  file: string,
  partial: string,
): Promise<void> {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (let reads = 1; ; reads++) {
    try {
      const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      await pipeline(Body as Readable, fs.createWriteStream(partial));
      const { size } = fs.statSync(partial);
      if (size !== ContentLength) throw new Error(`the object must have ${ContentLength} bytes, got ${size}`);
      break;
    } catch (error) {
      const explained = explainS3Error(error, {
        bucket,
        uri: `s3://${bucket}/${key}`,
        permission: 's3:GetObject',
      });
      if (
        reads === MOST_READS ||
        explained !== error ||
        (error as NodeJS.ErrnoException).syscall !== undefined
      )
        throw explained;
    }
  }
  fs.renameSync(partial, file);
}

function unwritable(out: string, error: unknown): SlicedInferenceError {
  const got = `${systemReason(error)} for ${quoted((error as NodeJS.ErrnoException).path ?? out)}`;
  return new SlicedInferenceError(
    '--out must name a folder that can be written',
    got,
    'choose another folder',
  );
}
