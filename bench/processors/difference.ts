/** How far the results of one processor are from those of another. */
import { float16Value } from '../../lambda/tensors/float16';
import { type NumericTensor, type RawTensor, typedView } from '../../lambda/tensors/tensor';

export type Tensors = ReadonlyMap<string, RawTensor>;

/**
 * `undefined` if all bits are the same; else the largest difference of an element, divided by the largest finite magnitude in its tensor, and
 * infinity if there is none, as between a number and a NaN. NaNs differ by 0, although the processors give them different bits.
 */
export function differenceOf(expected: Tensors, got: Tensors): number | undefined {
  const found = [...expected].map(([name, tensor]) => ofTensor(tensor, got.get(name)));
  const different = found.filter((each) => each !== undefined);
  return different.length === 0 ? undefined : Math.max(...different);
}

function ofTensor(expected: RawTensor, got: RawTensor | undefined): number | undefined {
  if (got?.shape.join() !== expected.shape.join()) return Infinity;
  if (expected.dtype === 'string' || got.dtype === 'string')
    return JSON.stringify(expected) === JSON.stringify(got) ? undefined : Infinity;
  if (Buffer.compare(expected.bytes, got.bytes) === 0) return undefined;
  const [a, b] = [numbersOf(expected), numbersOf(got)];
  const largest = a.reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
    0,
  );
  const difference = a.reduce((most, value, index) => {
    const each = Object.is(value, b[index]) ? 0 : Math.abs(value - b[index]);
    return Math.max(most, Number.isNaN(each) ? Infinity : each);
  }, 0);
  return difference === 0 ? 0 : difference / largest;
}

function numbersOf(tensor: NumericTensor): number[] {
  const array: ArrayLike<number | bigint> = typedView(tensor);
  return Array.from(array, tensor.dtype === 'float16' ? (bits) => float16Value(Number(bits)) : Number);
}
