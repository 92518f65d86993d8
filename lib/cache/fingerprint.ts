/** Tells whether a file is still the one that was read, without reading it again. */
import * as fs from 'node:fs';

/** What the file system says of a file that changes with every write to it. */
export type Fingerprint = string;

/** Clocks of file systems tick in nanoseconds to milliseconds... */
const FINE_TICK_MS = 50;
/** ...or in one or two seconds: then every time is a whole number of them. */
const COARSE_TICK_MS = 2000;
const SECOND_NS = 1_000_000_000n;

const UNRELIABLE = ':unreliable';

/**
 * Device, inode, size, and the times of the last change of the content and of the entry of the file at `path`, to be
 * taken before it is read. The last of them no program can set back, so that a changed file with an old timestamp is
 * noticed. A file that changed just now is waited for, until a further change would show.
 */
export function fingerprint(path: string): Fingerprint {
  const { dev, ino, size, mtimeNs, ctimeNs } = fs.statSync(path, { bigint: true });
  const print = [dev, ino, size, mtimeNs, ctimeNs].join(':');
  const tick = ctimeNs % SECOND_NS === 0n ? COARSE_TICK_MS : FINE_TICK_MS;
  const age = Date.now() - Number(ctimeNs / 1_000_000n);
  if (age > tick) return print;
  // A time in the future is another machine's, whose clock says nothing of when a change would show.
  if (age < 0) return `${print}${UNRELIABLE}`;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, tick - age + 1);
  return fingerprint(path);
}

/** Whether a file that has this fingerprint later on is sure to be the same. */
export function isReliable(print: Fingerprint): boolean {
  return !print.endsWith(UNRELIABLE);
}
