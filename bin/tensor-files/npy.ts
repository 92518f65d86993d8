/**
 * NumPy's array file: magic bytes, version, a Python dict as header, then the elements.
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { describeTensor, elementBytes, elementCount, isShape } from '../../lambda/tensors/tensor';
import type { NumericDataType, RawTensor, StringTensor } from '../../lambda/tensors/tensor';
import { BadContent } from './tensor-file-error';

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
const VERSION_1 = [1, 0];

/** NumPy pads the header so that the elements are aligned for every dtype. */
const DATA_ALIGNMENT = 64;

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

const DTYPES_BY_DESCRIPTION = new Map(
  Object.entries(DESCRIPTIONS).map(([dtype, description]) => [description, dtype as NumericDataType]),
);

const CODE_POINT_BYTES = 4;

interface NpyHeader {
  readonly description: string;
  readonly shape: readonly number[];
  readonly dataStart: number;
}

/** @throws BadContent */
export function decodeNpy(file: Uint8Array): RawTensor {
  const { description, shape, dataStart } = readHeader(file);
  const data = file.subarray(dataStart);
  const characters = /^<U(\d+)$/.exec(description);
  if (characters !== null) return decodeStrings(data, shape, Number(characters[1]));
  const dtype = DTYPES_BY_DESCRIPTION.get(description);
  if (dtype === undefined) throw unsupported(description);
  checkLength(data, elementCount(shape) * elementBytes(dtype), describeTensor({ dtype, shape }));
  return { dtype, shape, bytes: data };
}

export function encodeNpy(tensor: RawTensor): Uint8Array {
  if (tensor.dtype !== 'string') {
    return Buffer.concat([encodeHeader(DESCRIPTIONS[tensor.dtype], tensor.shape), tensor.bytes]);
  }
  const characters = tensor.strings.reduce((most, text) => Math.max(most, codePointsOf(text).length), 1);
  return Buffer.concat([encodeHeader(`<U${characters}`, tensor.shape), encodeStrings(tensor, characters)]);
}

function readHeader(file: Uint8Array): NpyHeader {
  if (file.byteLength < 12 || !MAGIC.equals(file.subarray(0, MAGIC.byteLength))) {
    throw new BadContent('an .npy array', 'other content', 'write it with numpy.save');
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const major = file[MAGIC.byteLength];
  const headerStart = major === 1 ? 10 : 12;
  const headerBytes = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const dataStart = headerStart + headerBytes;
  if (major < 1 || major > 3 || dataStart > file.byteLength) {
    throw new BadContent(
      'a complete .npy array of version 1 to 3',
      dataStart > file.byteLength ? `a truncated one of version ${major}` : `version ${major}`,
      'write it again',
    );
  }
  const text = Buffer.from(file.subarray(headerStart, dataStart)).toString('utf8');
  return { ...parseHeader(text), dataStart };
}

function parseHeader(text: string): Omit<NpyHeader, 'dataStart'> {
  const description = /['"]descr['"]\s*:\s*['"]([^'"]*)['"]/.exec(text)?.[1];
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)?.[1];
  const sizes = /['"]shape['"]\s*:\s*\(([\d,\sL]*)\)/.exec(text)?.[1];
  if (description === undefined || order === undefined || sizes === undefined) {
    throw new BadContent(
      'an array of one plain dtype',
      `the header ${text.trim().slice(0, 80)}`,
      'save each field of a structured array as its own array',
    );
  }
  if (order === 'True') {
    throw new BadContent('in C order', 'Fortran order', 'save numpy.ascontiguousarray(x)');
  }
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map((size) => Number(size.replace('L', '')));
  if (!isShape(shape)) throw new BadContent('of a valid shape', `(${sizes})`, 'write it again');
  return { description, shape };
}

function unsupported(description: string): BadContent {
  if (description.startsWith('>')) {
    return new BadContent('little-endian', description, `save x.astype('${description.replace('>', '<')}')`);
  }
  if (/^\|?S/.test(description)) return new BadContent('text', 'bytes', 'save x.astype(str)');
  const known = [...DTYPES_BY_DESCRIPTION.keys(), '<U…'].join(', ');
  const got = description.startsWith('|O') ? 'pickled Python objects' : description;
  return new BadContent(`of one of the dtypes ${known}`, got, 'convert it with x.astype');
}

function checkLength(data: Uint8Array, expected: number, what: string): void {
  if (data.byteLength === expected) return;
  throw new BadContent(`${what}, ${expected} bytes`, `${data.byteLength} bytes`, 'write it again');
}

function decodeStrings(data: Uint8Array, shape: readonly number[], characters: number): StringTensor {
  const count = elementCount(shape);
  checkLength(data, count * characters * CODE_POINT_BYTES, `strings [${shape.join(',')}]`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const strings = Array.from({ length: count }, (_, index) => {
    const codePoints = Array.from({ length: characters }, (_, position) =>
      view.getUint32((index * characters + position) * CODE_POINT_BYTES, true),
    );
    return textOf(codePoints);
  });
  return { dtype: 'string', shape, strings };
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

function encodeHeader(description: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${description}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const before = MAGIC.byteLength + VERSION_1.length + 2;
  const dataStart = Math.ceil((before + dict.length + 1) / DATA_ALIGNMENT) * DATA_ALIGNMENT;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(dataStart - before);
  const padded = `${dict.padEnd(dataStart - before - 1)}\n`;
  return Buffer.concat([MAGIC, Buffer.from(VERSION_1), length, Buffer.from(padded, 'latin1')]);
}
