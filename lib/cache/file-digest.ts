/** Computes the digest of a file, and caches it by the file's fingerprint. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { forgetCached, isSinceBoot, readCached, writeCached } from './entries';
import { type Fingerprint, fingerprint, isReliable, withoutCtime } from './fingerprint';
import { cacheFolder } from './folder';

interface KnownDigest {
  /** In milliseconds since 1970. */
  readonly writtenAt: number;
  readonly digest: string;
}

/** Bytes hashed at a time. */
const READ_BYTES = 1024 * 1024;

/**
 * SHA-256 of a file in hexadecimal.
 *
 * @param path an absolute path
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

interface DigestedFile {
  /** An absolute path. */
  readonly file: string;
  /** Hexadecimal SHA-256. */
  readonly digest: string;
}

/** Remembers the digests of files that this process has just written. */
export function rememberDigests(files: readonly DigestedFile[]): void {
  const cache = cacheFolder('digests');
  if (cache === undefined) return;
  for (const { file, digest } of files) remember(cache, file, fingerprint(file), digest);
}

/**
 * Runs `link`, which may link or rename files and changes no bytes. A link changes the ctime of a file and so its
 * fingerprint. If all else of the fingerprint is the same afterwards, the digest that was known before stays known, so
 * that the file is not read again.
 *
 * @param files absolute paths
 * @returns the result of `link`
 */
export function keepingDigests<Result>(files: readonly string[], link: () => Result): Result {
  const cache = cacheFolder('digests');
  const kept = cache === undefined ? [] : files.filter((file) => fs.existsSync(file));
  const before = kept.map((file) => ({ file, print: fingerprint(file) }));
  // Call it in one place only: CDK writes stack traces into the assembly, which must not depend on the cache.
  const result = link();
  if (cache === undefined) return result;
  for (const { file, print } of before) {
    const after = fingerprint(file);
    if (after === print || withoutCtime(after) !== withoutCtime(print)) continue;
    const digest = knownDigest(cache, file, print);
    if (digest !== undefined) remember(cache, file, after, digest);
    forgetCached(cache, keyOf(file, print));
  }
  return result;
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
  return createHash('sha256').update(`${path}\n${print}`).digest('hex');
}

function readDigest(path: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const descriptor = fs.openSync(path, 'r');
  try {
    for (let read = fs.readSync(descriptor, buffer); read > 0; read = fs.readSync(descriptor, buffer))
      hash.update(buffer.subarray(0, read));
  } finally {
    fs.closeSync(descriptor);
  }
  return hash.digest('hex');
}
