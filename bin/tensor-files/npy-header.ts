/**
 * The header of NumPy's array file: magic bytes, version, length, then a Python dict with `descr`, `fortran_order` and `shape`.
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { isShape } from '../../lambda/tensors/tensor';
import { BadContent } from './tensor-file-error';

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
const VERSION_1 = [1, 0];

/** Magic bytes, version, and the shorter form of the length. */
const LEAST_BYTES = MAGIC.byteLength + 2 + 2;

/** NumPy's own limit, `max_header_size` of numpy.load. Headers of plain arrays have 118 bytes. */
const MAX_HEADER_BYTES = 10_000;

/** NumPy pads the header so that the elements are aligned for every dtype. */
const DATA_ALIGNMENT = 64;

export interface NpyHeader {
  /** NumPy's name of the dtype with its byte order, such as `<f4`. */
  readonly description: string;
  /** Whether the first axis varies fastest. */
  readonly isFortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the elements start. */
  readonly dataStart: number;
}

/** @throws BadContent */
export function readHeader(file: Uint8Array): NpyHeader {
  if (file.byteLength < LEAST_BYTES || !MAGIC.equals(file.subarray(0, MAGIC.byteLength))) {
    throw new BadContent('an .npy array', 'other content', 'write it with numpy.save');
  }
  const [major, minor] = file.subarray(MAGIC.byteLength);
  if (major < 1 || major > 3 || minor !== 0) {
    throw new BadContent('an .npy array of version 1 to 3', `version ${major}.${minor}`, 'write it again');
  }
  const start = major === 1 ? LEAST_BYTES : LEAST_BYTES + 2;
  const dataStart = start + headerLength(file, major);
  if (dataStart > file.byteLength) throw truncated(major);
  // Version 3 has UTF-8 for the names of fields in structured arrays. The others have ASCII.
  const text = Buffer.from(file.subarray(start, dataStart)).toString('utf8');
  return { ...parseDict(text), dataStart };
}

function headerLength(file: Uint8Array, major: number): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (major > 1 && file.byteLength < LEAST_BYTES + 2) throw truncated(major);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length <= MAX_HEADER_BYTES) return length;
  throw new BadContent(
    `an .npy array with a header of at most ${MAX_HEADER_BYTES} bytes`,
    `${length} bytes`,
    'save each field of a structured array as its own array',
  );
}

function truncated(major: number): BadContent {
  return new BadContent('a complete .npy array', `a truncated one of version ${major}`, 'write it again');
}

/** A key with a text, a truth value or a tuple of sizes. Python 2 wrote sizes as `2L`. */
const FIELD =
  /\s*(?:'(\w+)'|"(\w+)")\s*:\s*(?:'([^'"\\]*)'|"([^'"\\]*)"|(True|False)|\(([\d\sL,]*)\))\s*(?:,|(?=\}))/y;

function parseDict(text: string): Omit<NpyHeader, 'dataStart'> {
  const dict = /^\s*\{([^]*\})\s*$/.exec(text)?.[1];
  if (dict === undefined) throw noPlainDtype(text);
  const fields = new Map<string, string>();
  let end = 0;
  for (;;) {
    FIELD.lastIndex = end;
    const match = FIELD.exec(dict);
    if (match === null) break;
    const [, single, double, singleText, doubleText, truth, sizes] = match as (string | undefined)[];
    const key = single ?? double ?? '';
    if (fields.has(key)) throw noPlainDtype(text);
    const kind = truth !== undefined ? 'truth' : sizes !== undefined ? 'sizes' : 'text';
    fields.set(key, `${kind}:${truth ?? sizes ?? singleText ?? doubleText ?? ''}`);
    end = FIELD.lastIndex;
  }
  const [description, order, sizes] = ['descr', 'fortran_order', 'shape'].map((key) => fields.get(key));
  const isPlain =
    dict.slice(end).trim() === '}' &&
    fields.size === 3 &&
    description?.startsWith('text:') === true &&
    order?.startsWith('truth:') === true &&
    sizes?.startsWith('sizes:') === true;
  if (!isPlain) throw noPlainDtype(text);
  return {
    description: valueOf(description),
    isFortranOrder: valueOf(order) === 'True',
    shape: parseShape(valueOf(sizes)),
  };
}

function valueOf(field: string): string {
  return field.slice(field.indexOf(':') + 1);
}

function noPlainDtype(text: string): BadContent {
  const shown = text
    .replace(/[^\x20-\x7e]/g, ' ')
    .trim()
    .slice(0, 80);
  return new BadContent(
    'an array of one plain dtype',
    `the header ${shown}`,
    'save each field of a structured array as its own array',
  );
}

/** `(3,)`, `(2, 3)` or `()`. */
function parseShape(sizes: string): number[] {
  const parts = sizes.split(',').map((size) => size.trim());
  if (parts.at(-1) === '') parts.pop();
  const shape = parts.map((size) => (/^\d+L?$/.test(size) ? Number(size.replace('L', '')) : NaN));
  if (isShape(shape)) return shape;
  throw new BadContent('of a valid shape', `(${sizes.replace(/\s+/g, ' ')})`, 'write it again');
}

/** The bytes before the elements of an array in C order. */
export function encodeHeader(description: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${description}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const before = LEAST_BYTES;
  const dataStart = Math.ceil((before + dict.length + 1) / DATA_ALIGNMENT) * DATA_ALIGNMENT;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(dataStart - before);
  const padded = `${dict.padEnd(dataStart - before - 1)}\n`;
  return Buffer.concat([MAGIC, Buffer.from(VERSION_1), length, Buffer.from(padded, 'latin1')]);
}
