/** Small cached values, as JSON files. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';

/** Reads a cached value; `undefined` when there is none or when it cannot be read. */
export function readCached(folder: string | undefined, key: string): unknown {
  if (folder === undefined) return undefined;
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, `${key}.json`), 'utf8'));
  } catch {
    // Absent, or damaged by a crash or a full disk: either way it is computed again and written over.
    return undefined;
  }
}

/** Stores a value: written beside, then renamed, so that another process never reads half of it. */
export function writeCached(folder: string | undefined, key: string, value: unknown): void {
  if (folder === undefined) return;
  const target = path.join(folder, `${key}.json`);
  const beside = `${target}.${randomBytes(6).toString('hex')}`;
  try {
    fs.writeFileSync(beside, JSON.stringify(value));
    fs.renameSync(beside, target);
  } catch {
    // A full disk must not fail what works without a cache.
    fs.rmSync(beside, { force: true });
  }
}
