/** Turns one element of a nested array into an element of a typed array, and checks its range. */
import { float16Bits } from '../../lambda/tensors/float16';
import type { NumericDataType, TypedArray } from '../../lambda/tensors/tensor';

/** What an element must be, for error messages. */
export const ELEMENTS: Readonly<Record<NumericDataType | 'string', string>> = {
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

/** Returns the element as a typed array of the type takes it, or `undefined` if it does not fit. */
export function toElement(dtype: NumericDataType, value: unknown): Element | undefined {
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

/** @param element of `toElement` for the type of this array */
export function setElement(view: TypedArray, index: number, element: Element): void {
  (view as { [index: number]: Element })[index] = element;
}
