/** Where this library keeps what it can compute again: answers of ONNX Runtime, by digest. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

/** Names the cache's folder; an empty value switches the cache off. */
export const CACHE_VARIABLE = 'SLICED_INFERENCE_CACHE';

/** The cache's folder, or `undefined` when it is switched off or cannot be written. */
export function cacheFolder(name: string): string | undefined {
  const root = process.env[CACHE_VARIABLE] ?? path.join(userCacheFolder(), 'cdk-sliced-inference');
  if (root === '') return undefined;
  const folder = path.join(root, name);
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.accessSync(folder, fs.constants.W_OK);
  } catch {
    // A read-only home is common in build containers: everything works without a cache, only slower.
    return undefined;
  }
  return folder;
}

function userCacheFolder(): string {
  if (process.env.XDG_CACHE_HOME) return process.env.XDG_CACHE_HOME;
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Caches');
  if (process.platform === 'win32' && process.env.LOCALAPPDATA) return process.env.LOCALAPPDATA;
  return path.join(os.homedir(), '.cache');
}

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
  const beside = `${target}.${process.pid}`;
  try {
    fs.writeFileSync(beside, JSON.stringify(value));
    fs.renameSync(beside, target);
  } catch {
    // A full disk must not fail what works without a cache.
    fs.rmSync(beside, { force: true });
  }
}
