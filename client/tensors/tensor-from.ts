/** Makes a tensor of a typed array. */
import { bytesOf, type NumericDataType, type NumericTensor } from '../../lambda/tensors/tensor';
import { arrayMismatch } from './array-kinds';

/**
 * Creates a tensor from a typed array without copying it. The array's kind must fit the type: a `Float32Array` for float32, for
 * float16 a `Float16Array` or the bits in a `Uint16Array`, for bool a `Uint8Array` of 0 and 1.
 * @param shape sizes whose product is the number of elements; `[]` for a scalar
 * @throws RangeError if the array is of another kind or does not have as many elements as the shape
 */
export function tensorFrom(
  dtype: NumericDataType,
  shape: readonly number[],
  elements: ArrayBufferView,
): NumericTensor {
  const mismatch = arrayMismatch({ dtype, shape }, elements);
  if (mismatch !== undefined) {
    const { expected, got, advice } = mismatch;
    throw new RangeError(`a tensor must have ${expected}, got ${got}: ${advice}`);
  }
  return { dtype, shape, bytes: bytesOf(elements) };
}
