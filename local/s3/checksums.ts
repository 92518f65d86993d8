/** Checksums of requests and objects: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
import { createHash } from 'node:crypto';
import { Crc32, Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc';
import { notImplemented, S3Error } from './errors';

/** Lower-case names, with the length of the checksum in bytes. */
const BYTES = { crc32: 4, crc32c: 4, crc64nvme: 8, md5: 16, sha1: 20, sha256: 32, sha512: 64 } as const;

export type ChecksumAlgorithm = keyof typeof BYTES;

const HEADER_PREFIX = 'x-amz-checksum-';

/** Headers with the prefix that hold no checksum. */
const NO_VALUES: readonly string[] = ['mode', 'algorithm', 'type'].map((name) => HEADER_PREFIX + name);

/** S3 computes this checksum of objects that come without one. */
export const DEFAULT_ALGORITHM = 'crc64nvme';

/** Of a multipart object, S3 may also have a checksum of the parts' checksums. This S3 always has that of the whole object. */
export const CHECKSUM_TYPE = 'FULL_OBJECT';

export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64. */
  readonly value: string;
}

/** Base64 values by algorithm. */
export type Checksums = Readonly<Partial<Record<ChecksumAlgorithm, string>>>;

interface Summing {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array | Promise<Uint8Array>;
}

const CRCS: Partial<Record<ChecksumAlgorithm, new () => Summing>> = {
  crc32: Crc32,
  crc32c: Crc32c,
  crc64nvme: Crc64Nvme,
};

function summing(algorithm: ChecksumAlgorithm): Summing {
  const Crc = CRCS[algorithm];
  return Crc === undefined ? createHash(algorithm) : new Crc();
}

export class ChecksumMeter {
  size = 0;
  private readonly sums: ReadonlyMap<ChecksumAlgorithm, Summing>;

  constructor(algorithms: Iterable<ChecksumAlgorithm> = []) {
    const all = new Set<ChecksumAlgorithm>(['md5', ...algorithms]);
    this.sums = new Map([...all].map((algorithm) => [algorithm, summing(algorithm)]));
  }

  update(bytes: Buffer): void {
    this.size += bytes.length;
    for (const sum of this.sums.values()) sum.update(bytes);
  }

  async digest(): Promise<Checksums> {
    const sums = [...this.sums].map(async ([name, sum]) => {
      return [name, Buffer.from(await sum.digest()).toString('base64')] as const;
    });
    return Object.fromEntries(await Promise.all(sums));
  }
}

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return HEADER_PREFIX + algorithm;
}

/** The element of XML that holds the checksum, such as `ChecksumCRC32C`. */
export function checksumElement({ algorithm, value }: ObjectChecksum): Record<string, string> {
  return { [`Checksum${algorithm.toUpperCase()}`]: value, ChecksumType: CHECKSUM_TYPE };
}

export function checksumAlgorithm(header: string): ChecksumAlgorithm | undefined {
  if (!header.startsWith(HEADER_PREFIX) || NO_VALUES.includes(header)) return undefined;
  return algorithmNamed(header.slice(HEADER_PREFIX.length));
}

export function algorithmNamed(name: string): ChecksumAlgorithm {
  const algorithm = name.toLowerCase();
  if (Object.hasOwn(BYTES, algorithm)) return algorithm as ChecksumAlgorithm;
  throw notImplemented(`the checksum ${name}`);
}

export function isChecksum(algorithm: ChecksumAlgorithm, value: string): boolean {
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === BYTES[algorithm] && bytes.toString('base64') === value;
}

export function verifyChecksum(
  algorithm: ChecksumAlgorithm,
  expected: string,
  actual: string | undefined,
): void {
  if (expected === actual) return;
  throw new S3Error(
    'BadDigest',
    `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
  );
}
