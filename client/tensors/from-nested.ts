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
import { float16Bits, float16Value } from '../../lambda/tensors/float16';

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
    if (!put(view, index++, dtype, item)) throw badElement(spec, item, path);
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
  return refused(spec, path, { expected: expectedElement(spec.dtype), got, advice: 'convert the element' });
}

function expectedElement(dtype: TensorSpec['dtype']): string {
  if (dtype === 'string') return 'a string';
  if (dtype === 'bool') return 'true or false for bool';
  const isLarge = dtype.endsWith('int64');
  const kind = dtype.startsWith('float') ? 'number' : 'whole number';
  const exact = isLarge ? ', and a bigint or a text of digits above 2^53-1' : '';
  return `a ${kind} in the range of ${dtype}${exact}`;
}

/** A longer text is not converted: it cannot be in the range of 64 bits without leading zeros. */
const MOST_DIGITS = 20;
const DIGITS = new RegExp(`^-?\\d{1,${MOST_DIGITS}}$`);

type Element = number | bigint;

/** Whether the array holds the element as it is: a float may be rounded, but not to infinity. */
function put(
  array: { [index: number]: Element },
  index: number,
  dtype: NumericDataType,
  item: unknown,
): boolean {
  if (dtype === 'bool') {
    array[index] = Number(item === true);
    return typeof item === 'boolean';
  }
  if (dtype === 'int64' || dtype === 'uint64') {
    const whole = toBigint(item);
    if (whole !== undefined) array[index] = whole;
    // 64 bits may mean another one.
    return whole !== undefined && array[index] === whole;
  }
  if (typeof item !== 'number') return false;
  array[index] = dtype === 'float16' ? float16Bits(item) : item;
  if (!dtype.startsWith('float')) return array[index] === item;
  const held = dtype === 'float16' ? float16Value(array[index]) : array[index];
  return Number.isFinite(held) || !Number.isFinite(item);
}

function toBigint(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  // A larger number may have been rounded already.
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  return typeof value === 'string' && DIGITS.test(value) ? BigInt(value) : undefined;
}
