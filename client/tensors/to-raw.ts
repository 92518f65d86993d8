/** Turns the tensors of an application, in any form, into raw tensors that fit a pipeline's signature. */
import { TENSOR_DATA_TYPES, type TensorDataType, type TensorSpec } from '../../contract/tensors';
import { fieldValue, kindOf, quotedName } from '../../lambda/json-values';
import { isDataType } from '../../lambda/request/inline-tensor';
import { checkElements, checkRequest } from '../../lambda/request/request-check';
import { isStrings } from '../../lambda/tensors/safetensors-header';
import {
  bytesOf,
  describeTensor,
  elementBytes,
  elementCount,
  isShape,
  type RawTensor,
} from '../../lambda/tensors/tensor';
import { InferenceError, invalidTensor } from '../errors';
import { arrayMismatch, kindOfArray } from './array-kinds';
import { fromNested } from './from-nested';
import type { NestedArray, TensorInput, TensorInputs } from './tensor-forms';

/** Stands for a tensor that the model does not have, which `checkRequest` refuses by its name. */
const UNKNOWN: RawTensor = { dtype: 'bool', shape: [], bytes: new Uint8Array(1) };

export function rawTensors(specs: readonly TensorSpec[], inputs: TensorInputs): Map<string, RawTensor> {
  const given = entriesOf(inputs);
  const known = new Map(specs.map((spec) => [spec.name, spec]));
  const tensors = new Map<string, RawTensor>();
  try {
    for (const [name, value] of given) {
      const spec = known.get(name);
      tensors.set(name, spec === undefined ? UNKNOWN : rawTensor(spec, value));
    }
    checkRequest({ request: specs, fixed: [] }, tensors);
    for (const [name, tensor] of tensors) checkElements(name, tensor);
  } catch (error) {
    throw ownError(error);
  }
  return tensors;
}

function entriesOf(inputs: unknown): ReadonlyMap<string, unknown> {
  if (typeof inputs === 'object' && inputs !== null && !Array.isArray(inputs)) {
    const given = inputs as TensorInputs;
    return isMap(given) ? given : new Map(Object.entries(given));
  }
  const [expected, got] = ['an object with a tensor for each input', kindOf(inputs)];
  const message = `the inputs must be ${expected}, got ${got}: pass { name: tensor }`;
  throw new InferenceError('InvalidInput', message, { expected, got });
}

/** The functions' own checks throw errors with the same fields. */
function ownError(error: unknown): unknown {
  if (!(error instanceof Error) || !('details' in error)) return error;
  return new InferenceError(error.name, error.message, error.details as object);
}

function rawTensor(spec: TensorSpec, value: unknown): RawTensor {
  const { name } = spec;
  const subject = `input ${quotedName(name)}`;
  if (isNested(value)) return fromNested(spec, value);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) {
    throw invalidTensor(name, subject, {
      expected: 'a tensor { shape, data }, raw bytes { dtype, shape, bytes } or a nested array',
      got: ArrayBuffer.isView(value) ? 'an array without a shape' : kindOf(value),
      advice: `pass { shape, data } for ${describeTensor(spec)}`,
    });
  }
  return fromFields({ name, subject, spec, fields: value });
}

function isNested(value: unknown): value is NestedArray {
  return Array.isArray(value) || ['number', 'bigint', 'boolean', 'string'].includes(typeof value);
}

type Fields = Readonly<Partial<Record<'dtype' | 'shape' | 'data' | 'bytes' | 'strings', unknown>>>;

interface Given {
  readonly name: string;
  readonly subject: string;
  readonly spec: TensorSpec;
  readonly fields: Fields;
}

function fromFields(given: Given): RawTensor {
  const { name, subject, spec, fields } = given;
  const dtype = fields.dtype ?? spec.dtype;
  if (!isDataType(dtype)) {
    throw invalidTensor(name, `'dtype' of ${subject}`, {
      expected: `one of ${TENSOR_DATA_TYPES.join(', ')}`,
      got: fieldValue(dtype),
      advice: `the model takes ${spec.dtype}`,
    });
  }
  const { shape } = fields;
  if (!isShape(shape)) {
    throw invalidTensor(name, `'shape' of ${subject}`, {
      expected: 'a list of whole numbers from 0 up',
      got: fieldValue(shape),
      advice: `the model takes ${describeTensor(spec)}`,
    });
  }
  return withElements(given, dtype, shape);
}

function withElements({ name, subject, fields }: Given, dtype: TensorDataType, shape: number[]): RawTensor {
  const head = describeTensor({ dtype, shape });
  const refuse = (expected: string, got: string, advice: string) =>
    invalidTensor(name, subject, { expected, got, advice });
  const count = elementCount(shape);
  if (dtype === 'string') {
    const strings = fields.strings ?? fields.data;
    if (isStrings(strings) && strings.length === count) return { dtype, shape, strings };
    const isOfLength = Array.isArray(strings) && strings.length === count;
    throw refuse(
      `strings in a list of length ${count} for ${head}`,
      isOfLength ? 'another element' : kindOf(strings),
      'pass a flat list of strings',
    );
  }
  const { data, bytes } = fields;
  if (data === undefined && isBytes(bytes)) {
    const expected = count * elementBytes(dtype);
    if (bytes.byteLength === expected) return { dtype, shape, bytes };
    throw refuse(`${expected} bytes for ${head}`, String(bytes.byteLength), 'check the shape and the bytes');
  }
  if (!ArrayBuffer.isView(data)) {
    throw refuse(
      `the elements of ${head} in a typed array`,
      kindOf(data),
      'pass a nested array without a shape, or a typed array',
    );
  }
  const mismatch = arrayMismatch({ dtype, shape }, data);
  if (mismatch !== undefined) throw invalidTensor(name, subject, mismatch);
  return { dtype, shape, bytes: bytesOf(data) };
}

/** Also a `Map` of another realm. */
function isMap(inputs: TensorInputs): inputs is ReadonlyMap<string, TensorInput> {
  return Object.prototype.toString.call(inputs) === '[object Map]';
}

/** Also of another realm. */
function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && kindOfArray(value) === 'Uint8Array';
}
