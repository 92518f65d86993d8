/** Decodes and encodes tensors as JSON: `{"dtype": "float32", "shape": [1, 3], "base64": "…"}`, or with `data`. */
import type { InlineTensor } from '../../contract/execution';
import { TENSOR_DATA_TYPES, type TensorDataType } from '../../contract/tensors';
import { invalidInput, type NamedFailure } from '../errors';
import { fieldValue, kindOf, quotedName, isRecord, type JsonRecord } from '../json-values';
import { float16Bits, MAX_FLOAT16 } from '../tensors/float16';
import {
  describeTensor,
  elementBytes,
  elementCount,
  isShape,
  typedView,
  type NumericDataType,
  type NumericTensor,
  type RawTensor,
} from '../tensors/tensor';
import { checkElements } from './request-check';

const FIELDS = ['dtype', 'shape', 'base64', 'data'];

const MAX_FLOAT32 = 2 ** 128 - 2 ** 104;

/** Lowest and highest number in `data`. For 64-bit integers: the range in which JSON numbers are exact. */
const RANGES: Readonly<Record<Exclude<NumericDataType, 'bool'>, readonly [number, number]>> = {
  float64: [-Number.MAX_VALUE, Number.MAX_VALUE],
  float32: [-MAX_FLOAT32, MAX_FLOAT32],
  float16: [-MAX_FLOAT16, MAX_FLOAT16],
  int8: [-(2 ** 7), 2 ** 7 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint8: [0, 2 ** 8 - 1],
  uint16: [0, 2 ** 16 - 1],
  uint32: [0, 2 ** 32 - 1],
  uint64: [0, Number.MAX_SAFE_INTEGER],
};

export function decodeInlineTensor(name: string, value: unknown): RawTensor {
  const { dtype, shape, base64, data } = objectWithFields(value, FIELDS, `tensor ${quotedName(name)}`);
  if (!isDataType(dtype)) {
    throw badField(name, 'dtype', `one of ${TENSOR_DATA_TYPES.join(', ')}`, fieldValue(dtype));
  }
  if (!isShape(shape)) throw badField(name, 'shape', 'a list of whole numbers from 0 up', fieldValue(shape));
  if ((base64 === undefined) === (data === undefined)) {
    const [expected, got] = ['exactly one of base64 and data', base64 === undefined ? 'neither' : 'both'];
    const about = { tensor: name, expected, got };
    throw invalidInput(`tensor ${quotedName(name)} must have ${expected}, got ${got}`, about);
  }
  const tensor =
    base64 === undefined ? fromData(name, dtype, shape, data) : fromBase64(name, dtype, shape, base64);
  checkElements(name, tensor);
  return tensor;
}

/** Encodes numbers as base64, because JSON numbers lose int64, -0, NaN and infinities. Strings become `data`. */
export function encodeInlineTensor(tensor: RawTensor): InlineTensor {
  const { dtype, shape } = tensor;
  if (tensor.dtype === 'string') return { dtype, shape, data: tensor.strings };
  const { buffer, byteOffset, byteLength } = tensor.bytes;
  return { dtype, shape, base64: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
}

/** Smaller integers are exact in each interpreter of state machines, whether it has them as integers or as floats. */
const MAX_NUMBER = 2 ** 31;

/** As `encodeInlineTensor`, but 32- and 64-bit integers are `data` where that is shorter, as it is for token ids and masks. */
export function encodeShortest(tensor: RawTensor): InlineTensor {
  const encoded = encodeInlineTensor(tensor);
  if (tensor.dtype === 'string' || !/^u?int(32|64)$/.test(tensor.dtype)) return encoded;
  const data = Array.from(typedView(tensor), Number);
  const isSmall = data.every((number) => Math.abs(number) <= MAX_NUMBER);
  if (!isSmall || JSON.stringify(data).length >= inlineBytes(tensor)) return encoded;
  return { dtype: tensor.dtype, shape: tensor.shape, data };
}

/** Bytes of tensors as JSON. JSON escapes no character of base64, so these are counted without another copy of the text. */
export function inlineJsonBytes(tensors: Readonly<Record<string, InlineTensor>>): number {
  let characters = 0;
  const heads = Object.entries(tensors).map(([name, tensor]) => {
    characters += tensor.base64?.length ?? 0;
    return [name, tensor.base64 === undefined ? tensor : { ...tensor, base64: '' }] as const;
  });
  return characters + Buffer.byteLength(JSON.stringify(Object.fromEntries(heads)));
}

export function inlineBytes(tensor: RawTensor): number {
  if (tensor.dtype === 'string') return Buffer.byteLength(JSON.stringify(tensor.strings));
  return base64Length(tensor.bytes.byteLength);
}

function fromBase64(name: string, dtype: TensorDataType, shape: readonly number[], text: unknown): RawTensor {
  if (dtype === 'string') throw badField(name, 'data', 'strings', 'base64');
  const expected = elementCount(shape) * elementBytes(dtype);
  const expectedText = `base64 of ${expected} bytes for ${describeTensor({ dtype, shape })}`;
  if (typeof text !== 'string') throw badField(name, 'base64', expectedText, kindOf(text));
  const bytes = Buffer.from(text, 'base64');
  if (isBase64Of(text, bytes.byteLength, expected)) return { dtype, shape, bytes };
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    const got = `${text.length} characters that are not padded base64`;
    throw badField(name, 'base64', `padded ${expectedText}`, got);
  }
  throw badField(name, 'base64', expectedText, `${bytes.byteLength} bytes`);
}

/**
 * Whether a text is the base64 of so many bytes. `Buffer.from` skips characters that are not base64, so a text of the right length with one of
 * them has fewer bytes. It also takes `-` and `_`. A regular expression over all of the text would take longer than decoding it.
 */
function isBase64Of(text: string, decoded: number, expected: number): boolean {
  const padding = '='.repeat((3 - (expected % 3)) % 3);
  const isWhole = decoded === expected && text.length === base64Length(expected) && text.endsWith(padding);
  return isWhole && !text.includes('-') && !text.includes('_');
}

function fromData(name: string, dtype: TensorDataType, shape: readonly number[], data: unknown): RawTensor {
  const expected = elementCount(shape);
  if (!Array.isArray(data)) throw badField(name, 'data', 'a flat list', kindOf(data));
  if (data.length !== expected) {
    const expectedList = `${expected} elements for ${describeTensor({ dtype, shape })}`;
    throw badField(name, 'data', expectedList, String(data.length));
  }
  const elements = data as unknown[];
  if (dtype === 'string')
    return { dtype, shape, strings: elements.map((item, index) => stringElement(name, item, index)) };
  const tensor: NumericTensor = { dtype, shape, bytes: new Uint8Array(expected * elementBytes(dtype)) };
  writeElements(name, tensor, elements);
  return tensor;
}

function writeElements(name: string, tensor: NumericTensor, elements: readonly unknown[]): void {
  const view = typedView(tensor);
  const { dtype } = tensor;
  if (view instanceof BigInt64Array || view instanceof BigUint64Array) {
    elements.forEach((item, index) => (view[index] = BigInt(numberElement(name, dtype, item, index))));
  } else if (dtype === 'float16') {
    elements.forEach((item, index) => (view[index] = float16Bits(numberElement(name, dtype, item, index))));
  } else {
    elements.forEach((item, index) => (view[index] = numberElement(name, dtype, item, index)));
  }
}

function numberElement(name: string, dtype: NumericDataType, item: unknown, index: number): number {
  if (dtype === 'bool') {
    if (typeof item === 'boolean') return Number(item);
    throw badField(name, 'data', 'true or false for bool', elementAt(item, index));
  }
  const [lowest, highest] = RANGES[dtype];
  const isKind = dtype.startsWith('float') ? Number.isFinite(item) : Number.isInteger(item);
  if (isKind && (item as number) >= lowest && (item as number) <= highest) return item as number;
  const kind = dtype.startsWith('float') ? 'numbers' : 'whole numbers';
  const expected = `${kind} from ${lowest} to ${highest} for ${dtype}, or base64`;
  throw badField(name, 'data', expected, elementAt(item, index));
}

function stringElement(name: string, item: unknown, index: number): string {
  if (typeof item === 'string') return item;
  throw badField(name, 'data', 'strings', elementAt(item, index));
}

function elementAt(item: unknown, index: number): string {
  return `${kindOf(item)} at position ${index}`;
}

function badField(tensor: string, field: string, expected: string, got: string): NamedFailure {
  const message = `'${field}' of tensor ${quotedName(tensor)} must be ${expected}, got ${got}`;
  return invalidInput(message, { tensor, expected, got });
}

export function isDataType(value: unknown): value is TensorDataType {
  return (TENSOR_DATA_TYPES as readonly unknown[]).includes(value);
}

export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

export function objectWithFields(value: unknown, allowed: readonly string[], subject: string): JsonRecord {
  const object = jsonObject(value, subject);
  const unknown = Object.keys(object).find((field) => !allowed.includes(field));
  if (unknown !== undefined) {
    throw invalidInput(
      `${subject} has the unknown field ${quotedName(unknown)}: use only ${allowed.join(', ')}`,
    );
  }
  return object;
}

export function jsonObject(value: unknown, subject: string): JsonRecord {
  if (isRecord(value)) return value;
  throw invalidInput(`${subject} must be a JSON object, got ${kindOf(value)}`);
}
