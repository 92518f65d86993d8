/** Turns nested arrays into tensors. */
import type { TensorSpec } from '../../contract/tensors';
import { kindOf, quotedName } from '../../lambda/json-values';
import {
  elementBytes,
  elementCount,
  typedView,
  type NumericTensor,
  type RawTensor,
  type NumericDataType,
} from '../../lambda/tensors/tensor';
import { invalidTensor, type InferenceError } from '../errors';
import type { NestedArray } from './tensor-forms';
import { float16Bits } from '../../lambda/tensors/float16';

/** NumPy's limit since 2.0; ONNX Runtime has none. Stops at lists that contain themselves. */
const MAX_RANK = 64;

/**
 * Returns the tensor of a nested array. The spec has its element type, and the sizes that an empty list does not show: `[]` is
 * [0,3] for an input [N,3].
 * @throws InferenceError `InvalidInput` with the path of the first list or element that does not fit
 */
export function fromNested(spec: TensorSpec, value: NestedArray): RawTensor {
  const { dtype } = spec;
  const shape = shapeOf(spec, value);
  checkLists(spec, shape, value, []);
  if (dtype === 'string') {
    const strings: string[] = [];
    forEachElement(value, shape.length, [], (item, path) => {
      if (typeof item !== 'string') throw badElement(spec, item, path);
      strings.push(item);
    });
    return { dtype, shape, strings };
  }
  const tensor: NumericTensor = {
    dtype,
    shape,
    bytes: new Uint8Array(elementCount(shape) * elementBytes(dtype)),
  };
  const view = typedView(tensor);
  let index = 0;
  forEachElement(value, shape.length, [], (item, path) => {
    const element = toElement(dtype, item);
    if (element === undefined) throw badElement(spec, item, path);
    (view as { [index: number]: Element })[index++] = element;
  });
  return tensor;
}

function shapeOf(spec: TensorSpec, value: NestedArray): number[] {
  const shape: number[] = [];
  for (let inner: unknown = value; Array.isArray(inner); inner = (inner as unknown[])[0]) {
    shape.push(inner.length);
    if (shape.length > MAX_RANK) {
      const expected = `lists in at most ${MAX_RANK} levels`;
      throw refused(spec, [], { expected, got: 'more', advice: 'check whether a list contains itself' });
    }
    if (inner.length === 0) {
      const hidden = (spec.shape ?? []).slice(shape.length);
      return [...shape, ...hidden.map((size) => (typeof size === 'number' ? size : 0))];
    }
  }
  return shape;
}

/** Checks that all lists of a level have the same length, before any memory is allocated. */
function checkLists(
  spec: TensorSpec,
  shape: readonly number[],
  value: unknown,
  path: readonly number[],
): void {
  if (path.length === shape.length) return;
  const size = shape[path.length];
  if (!Array.isArray(value) || value.length !== size)
    throw refused(spec, path, {
      expected: `a list of length ${size}`,
      got: kindOf(value),
      advice: 'all lists of one level must have the same length',
    });
  if (path.length + 1 === shape.length) return;
  for (const [index, inner] of value.entries()) checkLists(spec, shape, inner, [...path, index]);
}

function forEachElement(
  value: unknown,
  rank: number,
  path: number[],
  visit: (item: unknown, path: readonly number[]) => void,
): void {
  if (path.length === rank) {
    visit(value, path);
    return;
  }
  const list = value as readonly unknown[];
  for (let index = 0; index < list.length; index++) {
    path.push(index);
    forEachElement(list[index], rank, path, visit);
    path.pop();
  }
}

function refused(
  { name }: TensorSpec,
  path: readonly number[],
  details: Parameters<typeof invalidTensor>[2],
): InferenceError {
  const place = `input ${quotedName(name)}${path.map((index) => `[${index}]`).join('')}`;
  return invalidTensor(name, place, details);
}

function badElement(spec: TensorSpec, item: unknown, path: readonly number[]): InferenceError {
  // A number of the caller's own may be shown; a text may be anything.
  const isShown = typeof item === 'number' || typeof item === 'boolean';
  const got = isShown ? String(item) : kindOf(item);
  return refused(spec, path, { expected: ELEMENTS[spec.dtype], got, advice: 'convert the element' });
}

const ELEMENTS: Readonly<Record<NumericDataType | 'string', string>> = {
  float32: 'a number in the range of float32',
  float64: 'a number for float64',
  float16: 'a number in the range of float16',
  int8: 'a whole number from -128 to 127 for int8',
  int16: 'a whole number from -32768 to 32767 for int16',
  int32: 'a whole number from -2147483648 to 2147483647 for int32',
  int64: 'a whole number, bigint or text of digits in the range of int64, and a number only up to 2^53-1',
  uint8: 'a whole number from 0 to 255 for uint8',
  uint16: 'a whole number from 0 to 65535 for uint16',
  uint32: 'a whole number from 0 to 4294967295 for uint32',
  uint64: 'a whole number, bigint or text of digits in the range of uint64, and a number only up to 2^53-1',
  bool: 'true or false for bool',
  string: 'a string',
};

/** A longer text is not converted: it cannot be in the range of 64 bits without leading zeros. */
const MOST_DIGITS = 20;
const DIGITS = new RegExp(`^-?\\d{1,${MOST_DIGITS}}$`);

type Element = number | bigint;

function toElement(dtype: NumericDataType, value: unknown): Element | undefined {
  switch (dtype) {
    case 'float64':
      return typeof value === 'number' ? value : undefined;
    case 'float32':
      return typeof value === 'number' && staysFinite(value, Math.fround(value)) ? value : undefined;
    case 'float16': {
      if (typeof value !== 'number') return undefined;
      const bits = float16Bits(value);
      return staysFinite(value, (bits & INFINITE_FLOAT16) === INFINITE_FLOAT16 ? Infinity : 0)
        ? bits
        : undefined;
    }
    case 'bool':
      return typeof value === 'boolean' ? Number(value) : undefined;
    case 'int64':
      return unwrapped(toBigint(value), (whole) => BigInt.asIntN(64, whole));
    case 'uint64':
      return unwrapped(toBigint(value), (whole) => BigInt.asUintN(64, whole));
    default:
      return wholeNumber(dtype, value);
  }
}

/** All bits of the exponent: infinity, or NaN with further bits. */
const INFINITE_FLOAT16 = 0x7c00;

function staysFinite(value: number, rounded: number): boolean {
  return !Number.isFinite(value) || Number.isFinite(rounded);
}

function toBigint(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  // A larger number may have been rounded already.
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  return typeof value === 'string' && DIGITS.test(value) ? BigInt(value) : undefined;
}

/** The value, unless its 64 bits mean another one. */
function unwrapped(value: bigint | undefined, wrap: (value: bigint) => bigint): bigint | undefined {
  return value !== undefined && wrap(value) === value ? value : undefined;
}

const INTEGERS = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
} as const;

function wholeNumber(dtype: keyof typeof INTEGERS, value: unknown): number | undefined {
  return typeof value === 'number' && INTEGERS[dtype].of(value)[0] === value ? value : undefined;
}
