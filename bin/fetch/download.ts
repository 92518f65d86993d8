/** Downloads a content into the cache: continues what an earlier attempt has left, and keeps only what has the right digest. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import * as path from 'node:path';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';
import { formatBytes } from '../terminal/format';
import { showProgress } from '../terminal/progress';
import { type Hub, LostConnection } from './hub';
import type { HubFile } from './repository';

const PROGRESS_MS = 100;
const OTHER_HOME = 'set HF_HOME to a folder on another disk';
const FULL_DISK = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Windows has no such flag. */
const NO_LINK = (fs.constants as Partial<typeof fs.constants>).O_NOFOLLOW ?? 0;

export const incomplete = (blob: string): string => `${blob}.incomplete`;

/** How many bytes of a content are here. */
export function bytesAt(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

export function isWhole(blob: string, { size }: HubFile): boolean {
  return fs.existsSync(blob) && bytesAt(blob) === size;
}

/** @throws SlicedInferenceError if the disk of a folder has less room; the folder need not exist yet */
export async function checkSpace(folder: string, sizes: number[]): Promise<void> {
  const needed = sizes.reduce((sum, size) => sum + size, 0);
  let existing = folder;
  while (!fs.existsSync(existing)) existing = path.dirname(existing);
  const { bavail, bsize, blocks } = await statfs(existing);
  // A file system in memory may have no limit.
  if (blocks === 0 || needed <= bavail * bsize) return;
  const must = `the disk of ${quoted(folder)} must have ${formatBytes(needed)} of free space`;
  throw new SlicedInferenceError(must, formatBytes(bavail * bsize), `free some space, or ${OTHER_HOME}`);
}

/**
 * @param url of the file in the commit
 * @param blob the file for the content, in the cache
 */
export async function download(hub: Hub, url: string, file: HubFile, blob: string): Promise<void> {
  const partial = incomplete(blob);
  const progress = () => bytesAt(partial);
  if (bytesAt(partial) > file.size) await rm(partial);
  try {
    await hub.withRetries(async () => {
      const handle = await open(partial, fs.constants.O_RDWR | fs.constants.O_CREAT | NO_LINK);
      try {
        const here = (await handle.stat()).size;
        if (here === file.size) return;
        const answer = await hub.request(url, here > 0 ? { range: `bytes=${here}-` } : {});
        await receive(hub, answer, here, file, handle);
      } finally {
        await handle.close();
      }
    }, progress);
    showProgress(`checking ${file.path}`);
    await checkDigest(file, partial);
    await rename(partial, blob);
  } catch (error) {
    // Another process that downloads the same file may have been faster.
    if (isWhole(blob, file)) return;
    const isFull = FULL_DISK.includes((error as NodeJS.ErrnoException).code ?? '');
    throw isFull ? fullDisk(file, partial, error) : error;
  }
}

/** Writes an answer. Each byte has its place, so two processes that write the same file write the same. */
async function receive(
  hub: Hub,
  answer: IncomingMessage,
  here: number,
  file: HubFile,
  handle: FileHandle,
): Promise<void> {
  const { statusCode, headers } = answer;
  const continues = statusCode === 206 && headers['content-range']?.startsWith(`bytes ${here}-`);
  // A server may ignore the range, and send all.
  let at = continues ? here : 0;
  const end = at + Number(headers['content-length'] ?? file.size - at);
  if (end !== file.size) {
    answer.destroy();
    throw wrongSize(hub, file, end);
  }
  let shown = 0;
  for await (const chunk of hub.chunks(answer)) {
    if (at + chunk.length > file.size) throw wrongSize(hub, file, at + chunk.length);
    for (let done = 0; done < chunk.length;)
      done += (await handle.write(chunk, done, chunk.length - done, at + done)).bytesWritten;
    at += chunk.length;
    if (performance.now() - shown < PROGRESS_MS) continue;
    shown = performance.now();
    showProgress(`downloading ${file.path}: ${formatBytes(at)} of ${formatBytes(file.size)}`);
  }
  if (at < file.size) throw new LostConnection(`the connection ended after ${at} of ${file.size} bytes`);
}

async function checkDigest({ path: name, size, digest }: HubFile, partial: string): Promise<void> {
  const isGit = digest.length === 40;
  // https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
  const hash = isGit ? createHash('sha1').update(`blob ${size}\0`) : createHash('sha256');
  for await (const chunk of fs.createReadStream(partial)) hash.update(chunk as Buffer);
  const found = hash.digest('hex');
  if (found === digest) return;
  await rm(partial, { force: true });
  throw new SlicedInferenceError(
    `the content of ${quoted(name)} must have the ${isGit ? 'SHA-1' : 'SHA-256'} ${digest}`,
    found,
    'it was removed; run the command again, and check the proxy if this repeats',
  );
}

function wrongSize(hub: Hub, { path: name, size }: HubFile, got: number): SlicedInferenceError {
  return hub.refused(`${got} bytes instead of ${size} for ${quoted(name)}`, 'try again later');
}

function fullDisk({ path: name, size }: HubFile, partial: string, error: unknown): SlicedInferenceError {
  const here = bytesAt(partial);
  return new SlicedInferenceError(
    `the disk of ${quoted(path.dirname(partial))} must have room for ${quoted(name)}`,
    `${systemReason(error)} after ${here} of ${size} bytes`,
    `free ${formatBytes(size - here)} and run the command again to continue, or ${OTHER_HOME}`,
  );
}
