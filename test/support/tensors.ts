/** Builds tensors for inputs. */
import { type NumericTensor, bytesOf } from '../../lambda/tensors/tensor';

/** By default, the elements are the cosines of their indexes. */
export function float32(shape: readonly number[], values?: readonly number[]): NumericTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const elements = Float32Array.from(values ?? Array.from({ length: count }, (_, index) => Math.cos(index)));
  return { dtype: 'float32', shape, bytes: bytesOf(elements) };
}

export function int64(shape: readonly number[], values: readonly number[]): NumericTensor {
  return { dtype: 'int64', shape, bytes: bytesOf(BigInt64Array.from(values, BigInt)) };
}
