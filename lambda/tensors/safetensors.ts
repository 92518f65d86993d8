/** Encodes and decodes tensors as a safetensors file, which Python can read too, and which can be read by ranges. */
import { HEADER_CRC32, STRING_TENSOR_PREFIX, TENSOR_CRC32_PREFIX } from '../../contract/safetensors-metadata';
import { checkHeader, checkTensor, hexCrc32, NO_CRC32, sealHeader, combinedCrc32, crc32 } from './checksums';
import {
  badTensor,
  DTYPE_CODES,
  LENGTH_BYTES,
  METADATA_KEY,
  parseHeader,
  readHeaderLength,
  SafetensorsError,
} from './safetensors-header';
import {
  describeTensor,
  elementBytes,
  elementCount,
  type NumericTensor,
  type RawTensor,
  type StringTensor,
} from './tensor';

export { SafetensorsError } from './safetensors-header';

/** Size of the largest element. The data starts at a multiple of it, so each tensor is aligned to its element size. */
const DATA_ALIGNMENT = 8;

export type Metadata = Readonly<Record<string, string>>;

/**
 * Lays out a safetensors file. Each tensor's bytes are read once, for their checksum; the file's comes from these. The data
 * starts 8-byte aligned and is sorted by descending element size. So every tensor is aligned to its element size without
 * holes, which the format forbids.
 */
export function layoutSafetensors(tensors: ReadonlyMap<string, RawTensor>, metadata: Metadata = {}) {
  const numeric = [...tensors]
    .filter(isNumeric)
    .sort(([, a], [, b]) => elementBytes(b.dtype) - elementBytes(a.dtype))
    .map(([name, tensor]): SummedTensor => [name, tensor, crc32(tensor.bytes)]);
  const header = encodeHeader(numeric, [...tensors].filter(isStrings), metadata);
  const parts = [header, ...numeric.map(([, { bytes }]) => bytes)];
  return {
    parts,
    byteLength: parts.reduce((sum, part) => sum + part.byteLength, 0),
    crc32: numeric.reduce(
      (sum, [, { bytes }, ofTensor]) => combinedCrc32(sum, ofTensor, bytes.byteLength),
      crc32(header),
    ),
  };
}

export function encodeSafetensors(tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  const { parts, byteLength } = layoutSafetensors(tensors);
  // A new buffer: the offset of one from Node's pool would break the alignment.
  const file = new Uint8Array(byteLength);
  let position = 0;
  for (const part of parts) {
    file.set(part, position);
    position += part.byteLength;
  }
  return file;
}

/**
 * Returns the tensors of a safetensors file as views of its bytes.
 * @throws SafetensorsError if the bytes are not a safetensors file, have an element type outside `TensorDataType`, or do not
 * have the checksums that the file contains
 */
export function decodeSafetensors(file: Uint8Array): Map<string, RawTensor> {
  return decodeFile(file).tensors;
}

export function decodeFile(file: Uint8Array) {
  const dataStart = LENGTH_BYTES + readHeaderLength(file, file.byteLength);
  const json = file.subarray(LENGTH_BYTES, dataStart);
  const isChecked = checkHeader(json);
  const { entries, requestEtag } = parseHeader(json, file.byteLength);
  const tensors = new Map<string, RawTensor>();
  for (const [name, entry] of entries) {
    if (entry.dtype === 'string') tensors.set(name, entry);
    else {
      const { dtype, shape, start, end } = entry;
      const bytes = file.subarray(start, end);
      checkTensor(name, entry, bytes);
      tensors.set(name, { dtype, shape, bytes });
    }
  }
  return { tensors, isChecked, ...(requestEtag !== undefined && { requestEtag }) };
}

type SummedTensor = readonly [name: string, tensor: NumericTensor, crc32: number];

function encodeHeader(
  numeric: readonly SummedTensor[],
  strings: readonly [string, StringTensor][],
  others: Metadata,
): Uint8Array {
  let position = 0;
  const fields = numeric.map(([name, tensor]) => {
    checkEncodable(name, tensor);
    const begin = position;
    position += tensor.bytes.byteLength;
    const offsets = [begin, position];
    return [name, { dtype: DTYPE_CODES[tensor.dtype], shape: tensor.shape, data_offsets: offsets }] as const;
  });
  const metadata = Object.fromEntries([
    [HEADER_CRC32, NO_CRC32],
    ...Object.entries(others),
    ...numeric.map(([name, , sum]) => [`${TENSOR_CRC32_PREFIX}${name}`, hexCrc32(sum)]),
    ...strings.map(([name, { shape, strings: data }]) => [
      `${STRING_TENSOR_PREFIX}${name}`,
      JSON.stringify({ shape, data }),
    ]),
  ]) as Record<string, string>;
  const json = JSON.stringify(Object.fromEntries([[METADATA_KEY, metadata] as const, ...fields]));
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.byteLength / DATA_ALIGNMENT) * DATA_ALIGNMENT;
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, LENGTH_BYTES);
  sealHeader(header.subarray(LENGTH_BYTES));
  return header;
}

function checkEncodable(name: string, tensor: NumericTensor): void {
  if (name === METADATA_KEY) throw new SafetensorsError(`a tensor cannot be named '${METADATA_KEY}'`);
  const expected = elementCount(tensor.shape) * elementBytes(tensor.dtype);
  const got = tensor.bytes.byteLength;
  if (got === expected) return;
  throw badTensor(name, `${describeTensor(tensor)} must have ${expected} bytes, got ${got}`);
}

function isNumeric(entry: [string, RawTensor]): entry is [string, NumericTensor] {
  return entry[1].dtype !== 'string';
}

function isStrings(entry: [string, RawTensor]): entry is [string, StringTensor] {
  return entry[1].dtype === 'string';
}
