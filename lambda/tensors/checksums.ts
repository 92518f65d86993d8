/**
 * Checksums of a safetensors file: one for each tensor, so that a reader of ranges can check what it reads, and one for
 * the header, which has the types, the shapes and the other checksums.
 *
 * A CRC32 costs least: zlib computes it at several GB/s, and S3 wants the CRC32 of the file anyway. It finds every error
 * in up to 32 consecutive bits, and one or two flipped bits in 512 MB. Other errors pass with a probability of 2^-32.
 */
import { crc32 as zlibCrc32 } from 'node:zlib';
import { HEADER_CRC32 } from '../../contract/safetensors-metadata';
import { fieldValue, quotedName } from '../json-values';
import { SafetensorsError, type StoredTensor } from './safetensors-header';

export const NO_CRC32 = '00000000';

/**
 * The start of the header's checksum in its JSON. A string in JSON has no bare quotation marks, so this cannot be a part
 * of a name or of another value.
 */
const FIELD = `"${HEADER_CRC32}":"`;

/** The bytes are not those that the writer of the file sent. */
export class ChecksumMismatch extends SafetensorsError {
  constructor(
    readonly details: { readonly tensor?: string; readonly expected: string; readonly got: string },
  ) {
    const { tensor, expected, got } = details;
    const what = tensor === undefined ? 'the header' : `tensor ${quotedName(tensor)}`;
    super(`${what} must have the CRC32 ${expected}, got ${got}`);
  }
}

export function hexCrc32(sum: number): string {
  return sum.toString(16).padStart(NO_CRC32.length, '0');
}

export function sealHeader(json: Uint8Array): void {
  const at = fieldIn(json);
  if (at === undefined) throw new Error(`the header must have ${HEADER_CRC32}, got none`);
  new TextEncoder().encodeInto(headerCrc32(json, at), json.subarray(at, at + NO_CRC32.length));
}

/**
 * @returns whether the header has a checksum
 * @throws ChecksumMismatch if it is not the header's
 */
export function checkHeader(json: Uint8Array): boolean {
  const at = fieldIn(json);
  if (at === undefined) return false;
  const expected = new TextDecoder().decode(json.subarray(at, at + NO_CRC32.length));
  const got = headerCrc32(json, at);
  if (expected !== got) throw new ChecksumMismatch({ expected: fieldValue(expected), got });
  return true;
}

export function checkTensor(name: string, { crc32: expected }: StoredTensor, bytes: Uint8Array): void {
  if (expected === undefined) return;
  const got = crc32(bytes);
  if (got === expected) return;
  throw new ChecksumMismatch({ tensor: name, expected: hexCrc32(expected), got: hexCrc32(got) });
}

function headerCrc32(json: Uint8Array, at: number): string {
  const before = crc32(json.subarray(0, at));
  const zeros = crc32(new TextEncoder().encode(NO_CRC32), before);
  return hexCrc32(crc32(json.subarray(at + NO_CRC32.length), zeros));
}

function fieldIn(json: Uint8Array): number | undefined {
  const start = Buffer.from(json.buffer, json.byteOffset, json.byteLength).indexOf(FIELD);
  return start < 0 ? undefined : start + FIELD.length;
}

/** zlib takes at most 2^32 - 1 bytes at once. */
const MAX_BYTES_AT_ONCE = 2 ** 30;

/** The polynomial with its coefficients in reverse order: the highest bit is x^0. */
const POLYNOMIAL = 0xedb88320;

export function crc32(bytes: Uint8Array, sum = 0): number {
  let result = sum;
  // No call for an empty array: on Node.js 20 and 22, zlib.crc32(new Uint8Array(0), sum) forgets `sum` if the array has
  // no memory.
  for (let start = 0; start < bytes.byteLength; start += MAX_BYTES_AT_ONCE) {
    result = zlibCrc32(bytes.subarray(start, start + MAX_BYTES_AT_ONCE), result);
  }
  return result;
}

/** CRC32 of two sequences of bytes, one after the other, from their checksums and the length of the second one. */
export function combinedCrc32(first: number, second: number, secondBytes: number): number {
  // The second sequence moves the first one up by its number of bits, which is a product with x^bits.
  let power = 1 << 31;
  let square = 1 << 30;
  for (let bits = 8 * secondBytes; bits > 0; bits = Math.floor(bits / 2)) {
    if (bits % 2 === 1) power = product(power, square);
    square = product(square, square);
  }
  return (product(first, power) ^ second) >>> 0;
}

/** Product of two polynomials modulo `POLYNOMIAL`. */
function product(a: number, b: number): number {
  let sum = 0;
  for (let bit = 31, shifted = b; bit >= 0; bit--) {
    if ((a >>> bit) & 1) sum ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return sum;
}

export function base64OfCrc32(sum: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(sum);
  return bytes.toString('base64');
}
