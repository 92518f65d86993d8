/** Takes a safetensors file apart and puts it together, without the library. */
import { crc32 } from 'node:zlib';

export const LENGTH_BYTES = 8;

/** What stands before the checksum of the header. */
const SEAL = '"header_crc32":"';
const DIGITS = 8;

interface FileParts {
  /** JSON with its padding. */
  readonly header: Uint8Array;
  readonly data: Uint8Array;
}

export function partsOf(file: Uint8Array): FileParts {
  const length = Buffer.from(file).readBigUInt64LE(0);
  const end = LENGTH_BYTES + Number(length);
  return { header: file.subarray(LENGTH_BYTES, end), data: file.subarray(end) };
}

/** @param length of the header, as the file states it */
export function fileOf({ header, data }: FileParts, length = BigInt(header.byteLength)): Uint8Array {
  const start = Buffer.alloc(LENGTH_BYTES);
  start.writeBigUInt64LE(BigInt.asUintN(64, length));
  return Buffer.concat([start, header, data]);
}

/** Whether a function would check the header. */
export function hasSeal(header: Uint8Array): boolean {
  return Buffer.from(header).includes(SEAL);
}

/** Computes the checksum of a changed header, so that it is not refused for its checksum. Returns whether it could. */
export function seal(header: Buffer): boolean {
  const start = header.indexOf(SEAL);
  const at = start + SEAL.length;
  if (start < 0 || at + DIGITS > header.byteLength) return false;
  header.write('0'.repeat(DIGITS), at, 'latin1');
  header.write(crc32(header).toString(16).padStart(DIGITS, '0'), at, 'latin1');
  return true;
}
