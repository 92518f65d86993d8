/** Encodes and decodes tensors as a safetensors file, which Python can read too, and which can be read by ranges. */
import {
  dtypeCode,
  LENGTH_BYTES,
  METADATA_KEY,
  parseHeader,
  readHeaderLength,
  SafetensorsError,
  STRING_TENSOR_PREFIX,
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

/**
 * Returns the consecutive parts of a safetensors file: the header, then each tensor's own bytes, not copied. The data
 * starts 8-byte aligned and is sorted by descending element size. So every tensor is aligned to its element size without
 * holes, which the format forbids.
 */
export function layoutSafetensors(tensors: ReadonlyMap<string, RawTensor>): Uint8Array[] {
  const numeric = [...tensors]
    .filter(isNumeric)
    .sort(([, a], [, b]) => bytesPerElement(b) - bytesPerElement(a));
  return [encodeHeader(numeric, [...tensors].filter(isStrings)), ...numeric.map(([, { bytes }]) => bytes)];
}

/** Returns a safetensors file of the named tensors in one buffer. */
export function encodeSafetensors(tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  const parts = layoutSafetensors(tensors);
  // A new buffer: the offset of one from Node's pool would break the alignment.
  const file = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let position = 0;
  for (const part of parts) {
    file.set(part, position);
    position += part.byteLength;
  }
  return file;
}

/**
 * Returns the tensors of a safetensors file as views of its bytes.
 * @throws SafetensorsError if the bytes are not a safetensors file or have an element type outside `TensorDataType`
 */
export function decodeSafetensors(file: Uint8Array): Map<string, RawTensor> {
  const dataStart = LENGTH_BYTES + readHeaderLength(file, file.byteLength);
  const entries = parseHeader(file.subarray(LENGTH_BYTES, dataStart), file.byteLength);
  const tensors = new Map<string, RawTensor>();
  for (const [name, entry] of entries) {
    if (entry.dtype === 'string') tensors.set(name, entry);
    else {
      const { dtype, shape, start, end } = entry;
      tensors.set(name, { dtype, shape, bytes: file.subarray(start, end) });
    }
  }
  return tensors;
}

function encodeHeader(
  numeric: readonly [string, NumericTensor][],
  strings: readonly [string, StringTensor][],
): Uint8Array {
  let position = 0;
  const fields = numeric.map(([name, tensor]) => {
    checkEncodable(name, tensor);
    const begin = position;
    position += tensor.bytes.byteLength;
    const offsets = [begin, position];
    return [name, { dtype: dtypeCode(tensor.dtype), shape: tensor.shape, data_offsets: offsets }] as const;
  });
  const metadata = strings.map(
    ([name, { shape, strings: data }]) =>
      [`${STRING_TENSOR_PREFIX}${name}`, JSON.stringify({ shape, data })] as const,
  );
  const all =
    metadata.length === 0 ? fields : [[METADATA_KEY, Object.fromEntries(metadata)] as const, ...fields];
  return paddedHeader(JSON.stringify(Object.fromEntries(all)));
}

function checkEncodable(name: string, tensor: NumericTensor): void {
  if (name === METADATA_KEY) throw new SafetensorsError(`a tensor cannot be named '${METADATA_KEY}'`);
  const expected = elementCount(tensor.shape) * bytesPerElement(tensor);
  const got = tensor.bytes.byteLength;
  if (got === expected) return;
  throw new SafetensorsError(
    `tensor '${name}' ${describeTensor(tensor)} must have ${expected} bytes, got ${got}`,
  );
}

function paddedHeader(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.byteLength / DATA_ALIGNMENT) * DATA_ALIGNMENT;
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, LENGTH_BYTES);
  return header;
}

function bytesPerElement(tensor: NumericTensor): number {
  return elementBytes(tensor.dtype);
}

function isNumeric(entry: [string, RawTensor]): entry is [string, NumericTensor] {
  return entry[1].dtype !== 'string';
}

function isStrings(entry: [string, RawTensor]): entry is [string, StringTensor] {
  return entry[1].dtype === 'string';
}
