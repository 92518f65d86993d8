/** Reads and writes small cached values as JSON files. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { replaceFile } from '../host/write-beside';

/** Reads a cached value. Returns `undefined` when it does not exist or cannot be read. */
export function readCached(folder: string | undefined, key: string): unknown {
  if (folder === undefined) return undefined;
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, `${key}.json`), 'utf8'));
  } catch {
    // Absent, or damaged by a crash or a full disk: in both cases the caller computes it again and overwrites it.
    return undefined;
  }
}

/** Stores a value as JSON. Does nothing when `folder` is `undefined` or the value cannot be written. */
export function writeCached(folder: string | undefined, key: string, value: unknown): void {
  if (folder === undefined) return;
  try {
    replaceFile(path.join(folder, `${key}.json`), JSON.stringify(value));
  } catch {
    // The cache is optional: the caller goes on when the disk is full.
  }
}

/** Removes a cached value. */
export function forgetCached(folder: string, key: string): void {
  fs.rmSync(path.join(folder, `${key}.json`), { force: true });
}

/**
 * Whether a file was written after the machine started. The cache never calls `fsync`, which would take as long as the
 * writing. So a file from before the start may have its name but not its bytes, if the machine lost power.
 *
 * @param writtenAt in milliseconds since 1970
 */
export function isSinceBoot(writtenAt: number): boolean {
  return writtenAt >= Date.now() - os.uptime() * 1000;
}
