/** Checksums that a client sends with an object, in a header or in a trailer, and checksums that S3 returns. */
import { createHash, type Hash } from 'node:crypto';
import { Crc32 } from '../../lambda/store/crc32';
import { notImplemented, S3Error } from './errors';

/** Names of checksum headers and trailers, without their prefix. */
const ALGORITHMS = ['crc32', 'sha1', 'sha256', 'md5'] as const;
export type ChecksumAlgorithm = (typeof ALGORITHMS)[number];

const HEADER_PREFIX = 'x-amz-checksum-';

/** Headers with the prefix that hold no checksum. */
const NO_VALUES: readonly string[] = ['mode', 'algorithm', 'type'].map((name) => HEADER_PREFIX + name);

/** Base64 values by algorithm. */
export type Checksums = Readonly<Partial<Record<ChecksumAlgorithm, string>>>;

/** Computes an object's size, its MD5 and CRC32, and the other requested checksums. */
export class ChecksumMeter {
  size = 0;
  private readonly crc32 = new Crc32();
  private readonly hashes = new Map<ChecksumAlgorithm, Hash>();

  constructor(algorithms: Iterable<ChecksumAlgorithm> = []) {
    for (const algorithm of new Set<ChecksumAlgorithm>(['md5', ...algorithms])) {
      if (algorithm !== 'crc32') this.hashes.set(algorithm, createHash(algorithm));
    }
  }

  update(bytes: Buffer): void {
    this.size += bytes.length;
    this.crc32.update(bytes);
    for (const hash of this.hashes.values()) hash.update(bytes);
  }

  digest(): Checksums {
    const hashes = [...this.hashes].map(([algorithm, hash]) => [algorithm, hash.digest('base64')] as const);
    return { ...Object.fromEntries(hashes), crc32: this.crc32.base64() };
  }
}

/**
 * The algorithm of a checksum header or trailer; `undefined` for another name.
 * @throws S3Error `NotImplemented` for an unsupported checksum
 */
export function checksumAlgorithm(name: string): ChecksumAlgorithm | undefined {
  if (name === 'content-md5') return 'md5';
  if (!name.startsWith(HEADER_PREFIX) || NO_VALUES.includes(name)) return undefined;
  const algorithm = ALGORITHMS.find((known) => name === HEADER_PREFIX + known && known !== 'md5');
  if (algorithm === undefined) throw notImplemented(`the checksum ${name}`);
  return algorithm;
}

/** @throws S3Error `BadDigest` when a checksum that the client sent does not match the received bytes */
export function verifyChecksums(expected: Checksums, actual: Checksums): void {
  for (const algorithm of ALGORITHMS) {
    if (expected[algorithm] === undefined || expected[algorithm] === actual[algorithm]) continue;
    const message = `expected ${algorithm} ${expected[algorithm]}, got ${actual[algorithm] ?? 'none'}`;
    throw new S3Error('BadDigest', message);
  }
}
