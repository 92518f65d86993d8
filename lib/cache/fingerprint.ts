/** Detects whether a file has changed, without reading it, and caches the digests of files by that. */
import * as fs from 'node:fs';
import { createHash, hash } from 'node:crypto';
import { isSinceBoot, readCached, writeCached, cacheFolder } from './folder';

export type Fingerprint = string;

/** Resolution of most file system clocks: between nanoseconds and milliseconds. */
const FINE_TICK_MS = 50;
/** Resolution of the other clocks: one or two seconds. Their timestamps are whole seconds. */
const COARSE_TICK_MS = 2000;
const SECOND_NS = 1_000_000_000n;

const UNRELIABLE = ':unreliable';

/**
 * Device, inode, size, mtime and ctime of the file at `path`. Callers take the fingerprint before they read the file. No
 * program can set the ctime back, so a changed file with an old mtime is noticed. If the file has just changed, this
 * function waits until a further change would change the ctime.
 */
export function fingerprint(path: string): Fingerprint {
  const { dev, ino, size, mtimeNs, ctimeNs } = fs.statSync(path, { bigint: true });
  const print = [dev, ino, size, mtimeNs, ctimeNs].join(':');
  const tick = ctimeNs % SECOND_NS === 0n ? COARSE_TICK_MS : FINE_TICK_MS;
  const age = Date.now() - Number(ctimeNs / 1_000_000n);
  if (age > tick) return print;
  // A ctime in the future comes from another machine, and its clock does not show when a change would become visible.
  if (age < 0) return `${print}${UNRELIABLE}`;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, tick - age + 1);
  return fingerprint(path);
}

/** Whether a file that has the same fingerprint later certainly has the same content. */
export function isReliable(print: Fingerprint): boolean {
  return !print.endsWith(UNRELIABLE);
}

/** The part of a fingerprint that stays the same when the file is linked or renamed. */
function withoutCtime(print: Fingerprint): string {
  return print.replace(UNRELIABLE, '').replace(/:\d+$/, '');
}

interface KnownDigest {
  /** In milliseconds since 1970. */
  readonly writtenAt: number;
  readonly digest: string;
}

const READ_BYTES = 1024 * 1024;

/**
 * SHA-256 of a file in hexadecimal. It is read again only if its size or mtime has changed: a link to it, such as CDK's copy of an asset,
 * changes the ctime.
 */
export function fileDigest(path: string): string {
  const cache = cacheFolder('digests');
  const print = fingerprint(path);
  const known = knownDigest(cache, path, print);
  if (known !== undefined) return known;
  const digest = readDigest(path);
  if (fingerprint(path) === print) remember(cache, path, print, digest);
  return digest;
}

/** Of a file that a user names; `undefined` if it is none: what reads it says so. */
export function digestOfGiven(file: string): string | undefined {
  return fs.existsSync(file) && fs.statSync(file).isFile() ? fileDigest(file) : undefined;
}

/** @param digest hexadecimal SHA-256 */
export function rememberDigest(file: string, digest: string): void {
  const cache = cacheFolder('digests');
  if (cache !== undefined) remember(cache, file, fingerprint(file), digest);
}

function knownDigest(cache: string | undefined, path: string, print: Fingerprint): string | undefined {
  const known = readCached(cache, keyOf(path, print)) as Partial<KnownDigest> | null | undefined;
  return known?.digest !== undefined && isSinceBoot(known.writtenAt ?? 0) ? known.digest : undefined;
}

function remember(cache: string | undefined, path: string, print: Fingerprint, digest: string): void {
  if (!isReliable(print)) return;
  writeCached(cache, keyOf(path, print), { writtenAt: Date.now(), digest } satisfies KnownDigest);
}

function keyOf(path: string, print: Fingerprint): string {
  return hash('sha256', `${path}\n${withoutCtime(print)}`);
}

function readDigest(path: string): string {
  const sum = createHash('sha256');
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const descriptor = fs.openSync(path, 'r');
  try {
    for (let read = fs.readSync(descriptor, buffer); read > 0; read = fs.readSync(descriptor, buffer))
      sum.update(buffer.subarray(0, read));
  } finally {
    fs.closeSync(descriptor);
  }
  return sum.digest('hex');
}
