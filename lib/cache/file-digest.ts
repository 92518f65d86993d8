/** Computes the digest of a file, and caches it by the file's fingerprint. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { readCached, writeCached } from './entries';
import { fingerprint, isReliable } from './fingerprint';
import { cacheFolder } from './folder';
import { isSinceBoot } from './since-boot';

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
  const key = createHash('sha256').update(`${path}\n${print}`).digest('hex');
  const known = readCached(cache, key) as Partial<KnownDigest> | null | undefined;
  if (known?.digest !== undefined && isSinceBoot(known.writtenAt ?? 0)) return known.digest;
  const digest = readDigest(path);
  if (isReliable(print) && fingerprint(path) === print) {
    writeCached(cache, key, { writtenAt: Date.now(), digest } satisfies KnownDigest);
  }
  return digest;
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
