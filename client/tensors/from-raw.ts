/** Turns raw tensors into typed arrays and nested arrays. */
import { typedView, type RawTensor, elementCount, isShape } from '../../lambda/tensors/tensor';
import type { TypedTensor, NestedArray } from './tensor-forms';
import { float16Value } from '../../lambda/tensors/float16';

/** The elements are a view of the tensor's bytes if these are aligned, otherwise a copy. */
export function toTyped(tensor: RawTensor): TypedTensor {
  const { dtype, shape } = tensor;
  const data = tensor.dtype === 'string' ? tensor.strings : typedView(tensor);
  // The type of the array follows from the element type, which the compiler cannot see here.
  return { dtype, shape, data } as TypedTensor;
}

/** A record without prototype, so that a tensor may be named `__proto__` or `constructor`. */
export function typedTensors(tensors: ReadonlyMap<string, RawTensor>): Record<string, TypedTensor> {
  const record = Object.create(null) as Record<string, TypedTensor>;
  for (const [name, tensor] of tensors) record[name] = toTyped(tensor);
  return record;
}

type Element = number | bigint | boolean | string;

/**
 * Returns a tensor's elements as nested lists; a scalar as the element itself. float16 becomes numbers, bool `true` and `false`, int64
 * and uint64 bigints, which `JSON.stringify` does not take. A tensor without elements keeps the sizes before its first 0: [2,0,3] is
 * `[[], []]`.
 * @throws RangeError if the number of elements is not the product of the shape
 */
export function toNestedArray(tensor: RawTensor | TypedTensor): NestedArray {
  const { shape } = tensor;
  const elements = elementsAsValues(tensor);
  if (!isShape(shape) || elements.length !== elementCount(shape)) {
    throw new RangeError(
      `the tensor's shape must have the product ${elements.length}, got [${shape.join(',')}]: check the shape`,
    );
  }
  let position = 0;
  const nest = (axis: number): NestedArray =>
    axis === shape.length ? elements[position++] : Array.from({ length: shape[axis] }, () => nest(axis + 1));
  // Sizes behind the first 0 are never reached.
  return nest(0);
}

function elementsAsValues(tensor: RawTensor | TypedTensor): readonly Element[] {
  if (tensor.dtype === 'string') return 'strings' in tensor ? tensor.strings : tensor.data;
  const data = 'bytes' in tensor ? typedView(tensor) : tensor.data;
  if (tensor.dtype === 'float16') return Array.from(data as Uint16Array, float16Value);
  if (tensor.dtype === 'bool') return Array.from(data as Uint8Array, (byte) => byte !== 0);
  return Array.from<number | bigint>(data as Iterable<number | bigint> & ArrayLike<number | bigint>);
}
