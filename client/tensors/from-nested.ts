/** Turns nested arrays into tensors. */
import type { Dimension, TensorSpec } from '../../contract/tensors';
import { kindOf, quotedName } from '../../lambda/json-values';
import {
  elementBytes,
  elementCount,
  typedView,
  type NumericTensor,
  type RawTensor,
} from '../../lambda/tensors/tensor';
import { invalidTensor, type InferenceError } from '../errors';
import { ELEMENTS, setElement, toElement } from './element-writer';
import type { NestedArray } from './tensor-forms';

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
    setElement(view, index++, element);
  });
  return tensor;
}

/** The sizes along the first elements. */
function shapeOf(spec: TensorSpec, value: NestedArray): number[] {
  const shape: number[] = [];
  for (let inner: unknown = value; Array.isArray(inner); inner = (inner as unknown[])[0]) {
    shape.push(inner.length);
    if (shape.length > MAX_RANK) throw tooDeep(spec);
    if (inner.length === 0) return [...shape, ...hiddenSizes(spec.shape, shape.length)];
  }
  return shape;
}

function hiddenSizes(spec: readonly Dimension[] | null, shown: number): number[] {
  return (spec ?? []).slice(shown).map((size) => (typeof size === 'number' ? size : 0));
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
    throw ragged(spec, path, `a list of length ${size}`, value);
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

function ragged(spec: TensorSpec, path: readonly number[], expected: string, value: unknown): InferenceError {
  return invalidTensor(spec.name, place(spec, path), {
    expected,
    got: kindOf(value),
    advice: 'all lists of one level must have the same length',
  });
}

function badElement(spec: TensorSpec, item: unknown, path: readonly number[]): InferenceError {
  return invalidTensor(spec.name, place(spec, path), {
    expected: ELEMENTS[spec.dtype],
    got: elementText(item),
    advice: 'convert the element',
  });
}

/** A number of the caller's own may be shown; a text may be anything. */
function elementText(item: unknown): string {
  return typeof item === 'number' || typeof item === 'boolean' ? String(item) : kindOf(item);
}

function tooDeep(spec: TensorSpec): InferenceError {
  return invalidTensor(spec.name, place(spec, []), {
    expected: `lists in at most ${MAX_RANK} levels`,
    got: 'more',
    advice: 'check whether a list contains itself',
  });
}

function place({ name }: TensorSpec, path: readonly number[]): string {
  return `input ${quotedName(name)}${path.map((index) => `[${index}]`).join('')}`;
}
