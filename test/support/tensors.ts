/** Builds tensors for inputs. */
import { type NumericTensor, bytesOf } from '../../lambda/tensors/tensor';

const SMALLEST_FLOAT32 = 2 ** -149;

/** By default, the elements are the cosines of their indexes, and -0.0 and a denormal in every 16 of them. */
export function float32(shape: readonly number[], values?: readonly number[]): NumericTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const element = (index: number): number =>
    index % 16 === 5 ? -0 : index % 16 === 11 ? SMALLEST_FLOAT32 : Math.cos(index);
  const elements = Float32Array.from(values ?? Array.from({ length: count }, (_, index) => element(index)));
  return { dtype: 'float32', shape, bytes: bytesOf(elements) };
}

export function int64(shape: readonly number[], values: readonly number[]): NumericTensor {
  return { dtype: 'int64', shape, bytes: bytesOf(BigInt64Array.from(values, BigInt)) };
}
