/** Valid safetensors files, which the mutations of headers start from, and what takes such files apart without the library. */
import { crc32 } from 'node:zlib';
import { TENSOR_DATA_TYPES, type TensorDataType } from '../../../contract/tensors';
import { layoutSafetensors } from '../../../lambda/tensors/safetensors';
import { elementBytes, elementCount, type RawTensor } from '../../../lambda/tensors/tensor';

interface BaseFile {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, RawTensor>;
  readonly bytes: Uint8Array;
}

const LENGTH_BYTES = 8;

/** What stands before the checksum of the header. */
const SEAL = '"header_crc32":"';
const DIGITS = 8;

type Heads = readonly (readonly [name: string, dtype: TensorDataType, shape: readonly number[]])[];

const ODD_NAMES = ['', '__proto__', 'a\nb', '\u{1f600}', '"\\', 'string_tensor.x', 'tensor_crc32.x'];

const HEADS: Readonly<Record<string, Heads>> = {
  'all types': TENSOR_DATA_TYPES.map((dtype) => [dtype, dtype, [2, 3]]),
  'no tensors': [],
  'no elements': [
    ['x', 'float32', [0, 3]],
    ['y', 'int64', []],
    ['z', 'string', [0]],
  ],
  'odd names': ODD_NAMES.map((name, index) => [name, index % 2 === 0 ? 'uint8' : 'float16', [index]]),
  // Its tensors are far apart, so that they are read in several ranges.
  'of a function': [
    ['far', 'uint8', [300_000]],
    ['near', 'float32', [5, 7]],
    ['last', 'bool', [9]],
  ],
};

export const BASE_FILES = Object.entries(HEADS).map(([name, heads]): BaseFile => {
  const tensors = new Map(heads.map(([tensor, dtype, shape]) => [tensor, tensorOf(dtype, shape)]));
  const metadata = name === 'of a function' && { request_etag: '"3858f62230ac3c915f300c664312c63f"' };
  return { name, tensors, bytes: Buffer.concat(layoutSafetensors(tensors, metadata || {}).parts) };
});

function tensorOf(dtype: TensorDataType, shape: readonly number[]): RawTensor {
  const count = elementCount(shape);
  if (dtype === 'string') {
    const strings = Array.from({ length: count }, (_, index) => `text "${index}" \u{1f600}`);
    return { dtype, shape, strings };
  }
  const bytes = Uint8Array.from({ length: count * elementBytes(dtype) }, (_, index) =>
    dtype === 'bool' ? index % 2 : (index * 37 + 11) % 251,
  );
  return { dtype, shape, bytes };
}

interface FileParts {
  /** JSON with its padding. */
  readonly header: Uint8Array;
  readonly data: Uint8Array;
}

export function partsOf(file: Uint8Array): FileParts {
  const end = LENGTH_BYTES + Number(Buffer.from(file).readBigUInt64LE(0));
  return { header: file.subarray(LENGTH_BYTES, end), data: file.subarray(end) };
}

/** @param length of the header, as the file states it */
export function fileOf({ header, data }: FileParts, length = BigInt(header.byteLength)): Uint8Array {
  const start = Buffer.alloc(LENGTH_BYTES);
  start.writeBigUInt64LE(BigInt.asUintN(64, length));
  return Buffer.concat([start, header, data]);
}

/** Whether a function would check the header of the file. */
export function hasSeal(file: Uint8Array): boolean {
  return file.byteLength >= LENGTH_BYTES && Buffer.from(partsOf(file).header).includes(SEAL);
}

/** Computes the checksum of a changed header, so that it is not refused for its checksum. Returns whether it could. */
export function seal(header: Buffer): boolean {
  const start = header.indexOf(SEAL);
  const at = start + SEAL.length;
  if (start < 0 || at + DIGITS > header.byteLength) return false;
  header.write('0'.repeat(DIGITS), at, 'latin1');
  header.write(checksum(header), at, 'latin1');
  return true;
}

function checksum(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(DIGITS, '0');
}
