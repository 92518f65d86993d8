/** Reads the tensors of a function, which knows no signature of the model: each has its element type, or an array that implies it. */
import type { TensorDataType, TensorSpec } from '../../contract/tensors';
import { kindOf, quotedName } from '../../lambda/json-values';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { invalidTensor, InferenceError } from '../errors';
import { kindOfArray } from '../tensors/array-kinds';
import type { ArrayTensor } from '../tensors/tensor-forms';
import { rawTensors } from '../tensors/to-raw';

/** A tensor with a typed array, whose kind implies the element type unless `dtype` is set, or a tensor with raw bytes. */
export type HandlerTensor = RawTensor | ArrayTensor;

/** The tensors of a request by name. */
export type HandlerTensors = Readonly<Record<string, HandlerTensor>> | ReadonlyMap<string, HandlerTensor>;

/** Set `dtype` for bool, whose array is a `Uint8Array`, and for float16 in a `Uint16Array`. */
const IMPLIED: Readonly<Record<string, TensorDataType>> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Float16Array: 'float16',
  Int8Array: 'int8',
  Int16Array: 'int16',
  Int32Array: 'int32',
  BigInt64Array: 'int64',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
  Uint16Array: 'uint16',
  Uint32Array: 'uint32',
  BigUint64Array: 'uint64',
};

/** @throws InferenceError `InvalidInput` for the first value that is no tensor */
export function ownTensors(returned: unknown): ReadonlyMap<string, RawTensor> {
  if (
    typeof returned !== 'object' ||
    returned === null ||
    Array.isArray(returned) ||
    ArrayBuffer.isView(returned)
  ) {
    throw new InferenceError(
      'InvalidInput',
      `the function must return the model's inputs by name, got ${kindOf(returned)}: return { x: { shape, data } }`,
      { expected: "the model's inputs by name", got: kindOf(returned) },
    );
  }
  const given = returned instanceof Map ? [...(returned as Map<string, unknown>)] : Object.entries(returned);
  const tensors = new Map(given as [string, HandlerTensor][]);
  return rawTensors(
    [...tensors].map(([name, tensor]) => impliedSpec(name, tensor)),
    tensors,
  );
}

function impliedSpec(name: string, tensor: unknown): TensorSpec {
  const { dtype, data } = isObject(tensor) ? tensor : {};
  const type = dtype ?? (ArrayBuffer.isView(data) ? IMPLIED[kindOfArray(data)] : impliedOfList(data));
  // A text that is no type is refused with the tensor itself.
  if (typeof type === 'string') return { name, dtype: type as TensorDataType, shape: null };
  throw invalidTensor(name, `input ${quotedName(name)}`, {
    expected: 'a tensor { shape, data } with a typed array or a list of strings, or one with a dtype',
    got: isObject(tensor) ? `data that is ${kindOf(data)}` : kindOf(tensor),
    advice: 'this function does not know the types of the model',
  });
}

function impliedOfList(data: unknown): TensorDataType | undefined {
  return Array.isArray(data) && data.every((item) => typeof item === 'string') ? 'string' : undefined;
}

function isObject(value: unknown): value is Readonly<Partial<Record<'dtype' | 'data', unknown>>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
