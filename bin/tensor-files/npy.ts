/**
 * NumPy's array file: magic bytes, version, length, a Python dict with `descr`, `fortran_order` and `shape`, then the elements.
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import * as tensors from '../../lambda/tensors/tensor';
import { BadContent } from './bad-content';

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
const VERSION_1 = [1, 0];

/** Magic bytes, version, and the shorter form of the length. */
const LEAST_BYTES = MAGIC.byteLength + 2 + 2;

/** NumPy's own limit, `max_header_size` of numpy.load. Headers of plain arrays have 118 bytes. */
const MAX_HEADER_BYTES = 10_000;

/** NumPy pads the header so that the elements are aligned for every dtype. */
const DATA_ALIGNMENT = 64;

/** https://numpy.org/doc/stable/reference/arrays.interface.html#object.__array_interface__, `typestr` */
const DESCRIPTIONS: Readonly<Record<tensors.NumericDataType, string>> = {
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

const DTYPES = new Map(
  Object.entries(DESCRIPTIONS).map(([dtype, description]) => [description, dtype as tensors.NumericDataType]),
);

/** By the bytes of an element: a dtype under which its bits are moved unchanged. */
const BITS = { 1: 'uint8', 2: 'uint16', 4: 'uint32', 8: 'uint64' } as const;

const CODE_POINT_BYTES = 4;

interface NpyHeader {
  /** NumPy's name of the dtype with its byte order, such as `<f4`. */
  readonly description: string;
  /** Whether the first axis varies fastest. */
  readonly isFortranOrder: boolean;
  readonly shape: readonly number[];
}

/** Reads little-endian arrays in C and in Fortran order. Text becomes strings. @throws BadContent */
export function decodeNpy(file: Uint8Array): tensors.RawTensor {
  const dict = dictBytes(file);
  const { description, shape, isFortranOrder } = parseDict(Buffer.from(dict).toString('latin1'));
  const data = file.subarray(dict.byteOffset - file.byteOffset + dict.byteLength);
  const width = /^<U([1-9]\d*)$/.exec(description)?.[1];
  if (width !== undefined) {
    const strings = decodeText(data, shape, Number(width));
    return { dtype: 'string', shape, strings: isFortranOrder ? rowMajor(strings, shape) : strings };
  }
  const dtype = DTYPES.get(description);
  if (dtype === undefined) throw unsupported(description);
  const size = tensors.elementBytes(dtype) as keyof typeof BITS;
  checkLength(data, tensors.elementCount(shape) * size, tensors.describeTensor({ dtype, shape }));
  if (!isFortranOrder) return { dtype, shape, bytes: data };
  const view = tensors.typedView({ dtype: BITS[size], shape, bytes: data });
  return { dtype, shape, bytes: tensors.bytesOf(rowMajor(view, shape)) };
}

/** Writes text as `<U…`, which cannot hold strings that end with NUL. */
export function encodeNpy(tensor: tensors.RawTensor): Uint8Array {
  if (tensor.dtype !== 'string') {
    return Buffer.concat([encodeHeader(DESCRIPTIONS[tensor.dtype], tensor.shape), tensor.bytes]);
  }
  const characters = tensor.strings.reduce((most, text) => Math.max(most, codePointsOf(text).length), 1);
  return Buffer.concat([encodeHeader(`<U${characters}`, tensor.shape), encodeStrings(tensor, characters)]);
}

function dictBytes(file: Uint8Array): Uint8Array {
  if (file.byteLength < LEAST_BYTES || !MAGIC.equals(file.subarray(0, MAGIC.byteLength))) {
    throw new BadContent('an .npy array', 'other content', 'write it with numpy.save');
  }
  const [major, minor] = file.subarray(MAGIC.byteLength);
  // NumPy writes later versions only for structured arrays.
  if (major !== 1 || minor !== 0) {
    throw new BadContent('an .npy array of version 1.0', `version ${major}.${minor}`, 'write it again');
  }
  const length = Buffer.from(file.buffer, file.byteOffset, file.byteLength).readUInt16LE(8);
  if (length > MAX_HEADER_BYTES) {
    throw new BadContent(
      `an .npy array with a header of at most ${MAX_HEADER_BYTES} bytes`,
      `${length} bytes`,
      'save each field of a structured array as its own array',
    );
  }
  if (LEAST_BYTES + length > file.byteLength) {
    throw new BadContent('a complete .npy array', 'a truncated one', 'write it again');
  }
  return file.subarray(LEAST_BYTES, LEAST_BYTES + length);
}

/** As JSON, because Python writes other quotes, lists and truth values. */
function parseDict(text: string): NpyHeader {
  const json = text
    .replaceAll("'", '"')
    .replaceAll('(', '[')
    .replaceAll(')', ']')
    .replaceAll(/\b(?:True|False)\b/g, (word) => word.toLowerCase())
    .replaceAll(/,(?=\s*[\]}])/g, '');
  let dict: Readonly<Record<string, unknown>> = {};
  try {
    if (json.trimStart().startsWith('{')) dict = JSON.parse(json) as typeof dict;
  } catch {
    // A dict of something else than plain values lacks them below.
  }
  const { descr, fortran_order: isFortranOrder, shape, ...others } = dict;
  const isPlain = typeof descr === 'string' && typeof isFortranOrder === 'boolean' && Array.isArray(shape);
  if (!isPlain || Object.keys(others).length > 0) {
    const shown = text.replaceAll(/[^\x20-\x7e]/g, ' ').trim();
    throw new BadContent(
      'an array of one plain dtype',
      `the header ${shown.slice(0, 80)}`,
      'save each field of a structured array as its own array',
    );
  }
  if (tensors.isShape(shape)) return { description: descr, isFortranOrder, shape };
  throw new BadContent('of a valid shape', `(${shape.join(', ')})`, 'write it again');
}

/** The bytes before the elements of an array in C order. */
function encodeHeader(description: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${description}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const dataStart = Math.ceil((LEAST_BYTES + dict.length + 1) / DATA_ALIGNMENT) * DATA_ALIGNMENT;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(dataStart - LEAST_BYTES);
  const padded = `${dict.padEnd(dataStart - LEAST_BYTES - 1)}\n`;
  return Buffer.concat([MAGIC, Buffer.from(VERSION_1), length, Buffer.from(padded, 'latin1')]);
}

function unsupported(description: string): BadContent {
  const known = [...Object.values(DESCRIPTIONS), '<U…'].join(', ');
  const got = description.startsWith('|O') ? 'pickled Python objects' : description.slice(0, 20);
  return new BadContent(`of one of the dtypes ${known}`, got, 'convert it with x.astype');
}

function checkLength(data: Uint8Array, expected: number, what: string): void {
  if (data.byteLength === expected) return;
  throw new BadContent(`${what}, ${expected} bytes`, `${data.byteLength} bytes`, 'write it again');
}

/** Elements from Fortran order, in which the first axis varies fastest, to C order, in which the last one does. */
function rowMajor<T extends { readonly length: number; [index: number]: unknown; slice(): unknown }>(
  elements: T,
  shape: readonly number[],
): T {
  const ordered = elements.slice() as T;
  const sizes = shape.toReversed();
  for (let to = 0; to < elements.length; to++) {
    let rest = to;
    let stride = elements.length;
    let from = 0;
    for (const size of sizes) {
      stride /= size;
      from += (rest % size) * stride;
      rest = Math.floor(rest / size);
    }
    ordered[to] = elements[from];
  }
  return ordered;
}

function decodeText(data: Uint8Array, shape: readonly number[], characters: number): string[] {
  const count = tensors.elementCount(shape);
  checkLength(data, count * characters * CODE_POINT_BYTES, `strings [${shape.join(',')}]`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: count }, (_, index) => {
    const codePoints = Array.from({ length: characters }, (_one, position) =>
      view.getUint32((index * characters + position) * CODE_POINT_BYTES, true),
    );
    const bad = codePoints.find((codePoint) => codePoint > 0x10ffff);
    if (bad !== undefined) throw new BadContent('Unicode text', `the code point ${bad}`, 'write it again');
    // NumPy pads short strings with zeros.
    const own = codePoints.slice(0, codePoints.findLastIndex((code) => code !== 0) + 1);
    return own.map((codePoint) => String.fromCodePoint(codePoint)).join('');
  });
}

function encodeStrings({ strings }: tensors.StringTensor, characters: number): Uint8Array {
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
