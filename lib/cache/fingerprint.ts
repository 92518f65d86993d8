/** Detects whether a file has changed, without reading it. */
import * as fs from 'node:fs';

/** A file's metadata, which changes with every write to the file. */
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
export function withoutCtime(print: Fingerprint): string {
  return print.replace(UNRELIABLE, '').replace(/:\d+$/, '');
}
