/**
 * Checksums of a safetensors file: one for each tensor, so that a reader of ranges can check what it reads, and one for
 * the header, which has the types, the shapes and the other checksums.
 *
 * A CRC32 costs least: zlib computes it at several GB/s, and S3 wants the CRC32 of the file anyway. It finds every error
 * in up to 32 consecutive bits, and one or two flipped bits in 512 MB. Other errors pass with a probability of 2^-32.
 */
import { HEADER_CRC32 } from '../../contract/safetensors-metadata';
import { fieldValue, quotedName } from '../json-values';
import { crc32 } from './crc32';
import { SafetensorsError, type StoredTensor } from './safetensors-header';

/** Stands in the header while its checksum is computed. */
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

/** Replaces `NO_CRC32` in the JSON by the header's checksum. */
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

/** @throws ChecksumMismatch if the file has a checksum of the tensor, and it is not that of the bytes */
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

/** Position of the digits of the header's checksum. */
function fieldIn(json: Uint8Array): number | undefined {
  const start = Buffer.from(json.buffer, json.byteOffset, json.byteLength).indexOf(FIELD);
  return start < 0 ? undefined : start + FIELD.length;
}
