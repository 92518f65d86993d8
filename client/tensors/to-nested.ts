/** Turns tensors into nested arrays. */
import { float16Value } from '../../lambda/tensors/float16';
import { elementCount, isShape, typedView, type RawTensor } from '../../lambda/tensors/tensor';
import type { NestedArray, TypedTensor } from './tensor-forms';

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
