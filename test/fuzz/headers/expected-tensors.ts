/** Reads an accepted safetensors file with as little code as possible, to compare it with what the library returns. */
import { crc32 } from 'node:zlib';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import type { NamedTensors } from './base-files';
import { partsOf } from './header-file';

const DTYPES: Readonly<Record<string, readonly [dtype: string, bytes: number]>> = {
  F32: ['float32', 4],
  F64: ['float64', 8],
  F16: ['float16', 2],
  I8: ['int8', 1],
  I16: ['int16', 2],
  I32: ['int32', 4],
  I64: ['int64', 8],
  U8: ['uint8', 1],
  U16: ['uint16', 2],
  U32: ['uint32', 4],
  U64: ['uint64', 8],
  BOOL: ['bool', 1],
};

interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [begin: number, end: number];
}

/** @throws if the library should have refused the file, or returned other tensors */
export function checkTensors(file: Uint8Array, tensors: NamedTensors): void {
  const { header, data } = partsOf(file);
  const fields = new Map(
    Object.entries(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header)) as object),
  ) as Map<string, unknown>;
  const metadata = new Map(Object.entries((fields.get('__metadata__') ?? {}) as Record<string, string>));
  fields.delete('__metadata__');
  const left = new Map(tensors);
  let bytes = 0;
  for (const [name, field] of fields as Map<string, Stored>) {
    bytes += checkNumeric(name, field, {
      tensor: left.get(name),
      sum: metadata.get(`tensor_crc32.${name}`),
      data,
    });
    left.delete(name);
  }
  if (bytes !== data.byteLength)
    throw new Error(`${bytes} bytes of tensors, but ${data.byteLength} in the file`);
  for (const [key, text] of metadata) {
    if (!key.startsWith('string_tensor.')) continue;
    const name = key.slice('string_tensor.'.length);
    checkStrings(name, JSON.parse(text) as { shape: unknown; data: unknown }, left.get(name));
    left.delete(name);
  }
  if (left.size > 0)
    throw new Error(`tensors that the file does not have: ${JSON.stringify([...left.keys()])}`);
}

/** Returns the number of the tensor's bytes. */
function checkNumeric(
  name: string,
  { dtype: code, shape, data_offsets: [begin, end] }: Stored,
  { tensor, sum, data }: { tensor: RawTensor | undefined; sum: string | undefined; data: Uint8Array },
): number {
  const [dtype, size] = DTYPES[code];
  const bytes = data.subarray(begin, end);
  const count = shape.reduce((product, length) => product * length, 1);
  const isWhole = bytes.byteLength === end - begin && bytes.byteLength === count * size;
  if (!isWhole) throw new Error(`accepted tensor ${JSON.stringify(name)} with a wrong length`);
  if (sum !== undefined && sum !== crc32(bytes).toString(16).padStart(8, '0')) {
    throw new Error(`accepted tensor ${JSON.stringify(name)} with a wrong checksum`);
  }
  const isSame =
    tensor?.dtype === dtype &&
    sameShape(tensor.shape, shape) &&
    'bytes' in tensor &&
    Buffer.compare(tensor.bytes, bytes) === 0;
  if (!isSame) throw new Error(`another tensor ${JSON.stringify(name)} than in the file`);
  return bytes.byteLength;
}

function checkStrings(
  name: string,
  expected: { shape: unknown; data: unknown },
  tensor: RawTensor | undefined,
): void {
  const isSame =
    tensor?.dtype === 'string' &&
    JSON.stringify([tensor.shape, tensor.strings]) === JSON.stringify([expected.shape, expected.data]);
  if (!isSame) throw new Error(`other strings ${JSON.stringify(name)} than in the file`);
}

export function sameTensors(a: NamedTensors, b: NamedTensors): boolean {
  return a.size === b.size && [...a].every(([name, tensor]) => sameTensor(tensor, b.get(name)));
}

function sameTensor(a: RawTensor, b: RawTensor | undefined): boolean {
  if (a.dtype !== b?.dtype || !sameShape(a.shape, b.shape)) return false;
  if ('strings' in a) return 'strings' in b && JSON.stringify(a.strings) === JSON.stringify(b.strings);
  return 'bytes' in b && Buffer.compare(a.bytes, b.bytes) === 0;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
