/** Compares tensors bit by bit. */
import { float16Value } from '../../lambda/tensors/float16';
import { type RawTensor, typedView } from '../../lambda/tensors/tensor';

export interface TensorComparison {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Whether dtype, shape and every bit are the same. */
  readonly identical: boolean;
  /**
   * Largest absolute difference of two elements; `null` if it is undefined: for another dtype or shape, for strings, or if
   * the difference of two elements is not finite.
   */
  readonly maxAbsDiff: number | null;
}

export function compareTensor(
  name: string,
  expected: RawTensor,
  got: RawTensor | undefined,
): TensorComparison {
  const { dtype, shape } = expected;
  const differs = { name, dtype, shape, identical: false, maxAbsDiff: null };
  if (got?.dtype !== dtype || got.shape.join() !== shape.join()) return differs;
  if (expected.dtype === 'string' || got.dtype === 'string') {
    const same =
      'strings' in expected && 'strings' in got && expected.strings.every((s, i) => s === got.strings[i]);
    return same ? { name, dtype, shape, identical: true, maxAbsDiff: 0 } : differs;
  }
  if (Buffer.compare(expected.bytes, got.bytes) === 0)
    return { name, dtype, shape, identical: true, maxAbsDiff: 0 };
  const a = typedView(expected);
  const b = typedView(got);
  const number = (element: number | bigint): number =>
    dtype === 'float16' ? float16Value(Number(element)) : Number(element);
  let maxAbsDiff = 0;
  for (let index = 0; index < a.length; index++) {
    if (a[index] === b[index]) continue;
    const difference = Math.abs(number(a[index]) - number(b[index]));
    if (Number.isNaN(difference) && Number.isNaN(number(a[index])) && Number.isNaN(number(b[index])))
      continue;
    if (!Number.isFinite(difference)) return differs;
    maxAbsDiff = Math.max(maxAbsDiff, difference);
  }
  return { ...differs, maxAbsDiff };
}
