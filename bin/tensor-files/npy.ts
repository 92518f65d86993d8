/** NumPy's array file: a header, then the elements. */
import {
  describeTensor,
  elementBytes,
  elementCount,
  type NumericDataType,
  type RawTensor,
  type StringTensor,
} from '../../lambda/tensors/tensor';
import { encodeHeader, readHeader, type NpyHeader } from './npy-header';
import { rowMajorBytes, rowMajorItems } from './row-major';
import { BadContent } from './tensor-file-error';

/** https://numpy.org/doc/stable/reference/arrays.interface.html#object.__array_interface__, `typestr` */
const DESCRIPTIONS: Readonly<Record<NumericDataType, string>> = {
  float32: '<f4',
  float64: '<f8',
  float16: '<f2',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
  bool: '|b1',
};

/** By kind and size, without the order of bytes. */
const DTYPES = new Map(
  Object.entries(DESCRIPTIONS).map(([dtype, description]) => [
    description.slice(1),
    dtype as NumericDataType,
  ]),
);

const CODE_POINT_BYTES = 4;

/**
 * Reads arrays in C and in Fortran order, of both orders of bytes. Text and bytes become strings; bytes must be UTF-8.
 * @throws BadContent
 */
export function decodeNpy(file: Uint8Array): RawTensor {
  const header = readHeader(file);
  const data = file.subarray(header.dataStart);
  // Elements of one byte, and bytes, have no order.
  const [, order, kind] = /^([<>|])(\w+)$/.exec(header.description) ?? [];
  const [, text, width] = /^([US])([1-9]\d*)$/.exec(kind) ?? [];
  if (text === 'U' && order !== '|') return decodeText(data, header, Number(width));
  if (text === 'S') return decodeBytes(data, header, Number(width));
  const dtype = DTYPES.get(kind);
  if (dtype === undefined || (order === '|' && elementBytes(dtype) > 1)) {
    throw unsupported(header.description);
  }
  const { shape, isFortranOrder } = header;
  const size = elementBytes(dtype);
  checkLength(data, elementCount(shape) * size, describeTensor({ dtype, shape }));
  const elements = order === '>' ? littleEndian(data, size) : data;
  return { dtype, shape, bytes: isFortranOrder ? rowMajorBytes(elements, shape, size) : elements };
}

/** Writes text as `<U…`, which cannot hold strings that end with NUL. */
export function encodeNpy(tensor: RawTensor): Uint8Array {
  if (tensor.dtype !== 'string') {
    return Buffer.concat([encodeHeader(DESCRIPTIONS[tensor.dtype], tensor.shape), tensor.bytes]);
  }
  const characters = tensor.strings.reduce((most, text) => Math.max(most, codePointsOf(text).length), 1);
  return Buffer.concat([encodeHeader(`<U${characters}`, tensor.shape), encodeStrings(tensor, characters)]);
}

function unsupported(description: string): BadContent {
  const known = [...Object.values(DESCRIPTIONS), '<U…', '|S…'].join(', ');
  const got = description.startsWith('|O') ? 'pickled Python objects' : description.slice(0, 20);
  return new BadContent(`of one of the dtypes ${known}`, got, 'convert it with x.astype');
}

function checkLength(data: Uint8Array, expected: number, what: string): void {
  if (data.byteLength === expected) return;
  throw new BadContent(`${what}, ${expected} bytes`, `${data.byteLength} bytes`, 'write it again');
}

function littleEndian(data: Uint8Array, size: number): Uint8Array {
  if (size === 1) return data;
  const copy = Buffer.from(data);
  if (size === 2) return copy.swap16();
  return size === 4 ? copy.swap32() : copy.swap64();
}

function decodeText(data: Uint8Array, header: NpyHeader, characters: number): StringTensor {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const isLittleEndian = header.description.startsWith('<');
  return stringTensor(data, header, characters * CODE_POINT_BYTES, (start) => {
    const codePoints = Array.from({ length: characters }, (_, position) =>
      view.getUint32(start + position * CODE_POINT_BYTES, isLittleEndian),
    );
    return textOf(codePoints);
  });
}

function decodeBytes(data: Uint8Array, header: NpyHeader, width: number): StringTensor {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return stringTensor(data, header, width, (start) => {
    const bytes = data.subarray(start, start + width);
    try {
      return decoder.decode(bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1));
    } catch {
      throw new BadContent('text in UTF-8', 'other bytes', 'decode them, and save x.astype(str)');
    }
  });
}

/** @param read returns the string that starts at a position */
function stringTensor(
  data: Uint8Array,
  { shape, isFortranOrder }: NpyHeader,
  itemBytes: number,
  read: (start: number) => string,
): StringTensor {
  const count = elementCount(shape);
  checkLength(data, count * itemBytes, `strings [${shape.join(',')}]`);
  const strings = Array.from({ length: count }, (_, index) => read(index * itemBytes));
  return { dtype: 'string', shape, strings: isFortranOrder ? rowMajorItems(strings, shape) : strings };
}

/** NumPy pads short strings with zeros. */
function textOf(codePoints: readonly number[]): string {
  const length = codePoints.findLastIndex((codePoint) => codePoint !== 0) + 1;
  const bad = codePoints.find((codePoint) => codePoint > 0x10ffff);
  if (bad !== undefined) throw new BadContent('Unicode text', `the code point ${bad}`, 'write it again');
  return codePoints
    .slice(0, length)
    .map((codePoint) => String.fromCodePoint(codePoint))
    .join('');
}

function encodeStrings({ strings }: StringTensor, characters: number): Uint8Array {
  const bytes = Buffer.alloc(strings.length * characters * CODE_POINT_BYTES);
  strings.forEach((text, index) => {
    if (text.endsWith('\0')) {
      throw new BadContent('a format that keeps NULs at the end of strings', '.npy', 'write .safetensors');
    }
    codePointsOf(text).forEach((codePoint, position) => {
      bytes.writeUInt32LE(codePoint, (index * characters + position) * CODE_POINT_BYTES);
    });
  });
  return bytes;
}

function codePointsOf(text: string): number[] {
  // The iterator of a string yields one code point at a time, never an empty string.
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}
