/** Finds the folders of the cache, which holds results that can be recomputed, and small values in them. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { SlicedInferenceError, quoted, systemReason } from '../errors';
import { makeFolder, replaceFile } from '../host/folders';

/** The environment variable with the path of the cache's folder. An empty value disables the cache. */
export const CACHE_VARIABLE = 'SLICED_INFERENCE_CACHE';

const PARTS = ['types', 'shapes', 'optimized', 'plans', 'slices', 'digests'] as const;
type CachePart = (typeof PARTS)[number];

/** Certificates of local clouds. They are not removed with the cache, because a cloud may serve at the time. */
export const AUTHORITIES = 'authorities';

/** The folder of the cache, or `undefined` when the cache is disabled. The folder may not exist yet. */
export function cacheRoot(): string | undefined {
  const root = process.env[CACHE_VARIABLE] ?? path.join(userCacheFolder(), 'cdk-sliced-inference');
  return root === '' ? undefined : root;
}

/** The cache holds models, and a program that can write to it chooses what is deployed. */
const PRIVATE = 0o700;

/**
 * The folder of a part of the cache, or `undefined` when the cache is disabled, cannot be written or belongs to another
 * user. Only the user can enter the folder. The folder above it keeps its permissions if it exists, because the user may
 * have chosen one with other content.
 */
export function cacheFolder(part: CachePart | typeof AUTHORITIES): string | undefined {
  const root = cacheRoot();
  if (root === undefined) return undefined;
  const folder = path.join(root, part);
  try {
    makeFolder(folder, PRIVATE);
    fs.accessSync(folder, fs.constants.W_OK);
    if (!makePrivate(folder)) return undefined;
  } catch {
    // Build containers often have a read-only home folder. The library works without a cache, only slower.
    return undefined;
  }
  return folder;
}

/** Returns `false` if the folder belongs to another user, who could write to it at any time. */
function makePrivate(folder: string): boolean {
  const user = process.getuid?.();
  // Windows has no such permissions; there the user's own cache folder is private.
  if (user === undefined) return true;
  const { uid, mode } = fs.statSync(folder);
  if (uid !== user) return false;
  if ((mode & 0o777) !== PRIVATE) fs.chmodSync(folder, PRIVATE);
  return true;
}

export function cacheError(folder: string, got: string): SlicedInferenceError {
  const advice = `free some space, or set ${CACHE_VARIABLE} to another folder`;
  return new SlicedInferenceError(`the cache ${quoted(folder)} must be writable`, got, advice);
}

const temporaryFolders = new Map<CachePart, string>();

/** The folder of a part of the cache or, without a cache, a folder that is removed when the process ends. */
export function cacheOrTemporaryFolder(part: CachePart): string {
  const folder = cacheFolder(part) ?? temporaryFolders.get(part);
  if (folder !== undefined && fs.existsSync(folder)) return folder;
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), `sliced-inference-${part}-`));
  if (temporaryFolders.size === 0) process.on('exit', removeTemporaryFolders);
  temporaryFolders.set(part, temporary);
  return temporary;
}

function removeTemporaryFolders(): void {
  for (const folder of temporaryFolders.values()) fs.rmSync(folder, { recursive: true, force: true });
}

/**
 * Removes all parts of the cache. Other files in the cache's folder stay, because the user may have chosen a folder
 * with other content.
 *
 * @returns the size of the removed files in bytes; files that assets share by hard links count too
 */
export function clearCache(): number {
  const root = cacheRoot();
  if (root === undefined) return 0;
  let bytes = 0;
  try {
    for (const part of PARTS) {
      const folder = path.join(root, part);
      bytes += sizeOf(folder);
      fs.rmSync(folder, { recursive: true, force: true });
    }
  } catch (error) {
    throw new SlicedInferenceError(
      `the cache ${quoted(root)} must be a folder that can be written`,
      systemReason(error),
      `remove it yourself, or set ${CACHE_VARIABLE} to another folder`,
    );
  }
  return bytes;
}

function sizeOf(folder: string): number {
  if (!fs.existsSync(folder)) return 0;
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + fs.statSync(path.join(entry.parentPath, entry.name)).size, 0);
}

function userCacheFolder(): string {
  if (process.env.XDG_CACHE_HOME) return process.env.XDG_CACHE_HOME;
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Caches');
  if (process.platform === 'win32' && process.env.LOCALAPPDATA) return process.env.LOCALAPPDATA;
  return path.join(os.homedir(), '.cache');
}

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

/**
 * Whether a file was written after the machine started. The cache never calls `fsync`, which would take as long as the
 * writing. So a file from before the start may have its name but not its bytes, if the machine lost power.
 *
 * @param writtenAt in milliseconds since 1970
 */
export function isSinceBoot(writtenAt: number): boolean {
  return writtenAt >= Date.now() - os.uptime() * 1000;
}
