/** Measures how far apart two tensors are when their bits need not be the same. */
import { float16Value } from '../../lambda/tensors/float16';
import { type NumericTensor, type RawTensor, type TypedArray, typedView } from '../../lambda/tensors/tensor';

/** `|got - expected| <= absolute + relative * |expected|`, as in NumPy's `allclose`. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** Differences are `null` if undefined: for another dtype or shape, for strings, or if a difference is not finite. */
export interface TensorDifference {
  readonly name: string;
  readonly withinTolerance: boolean;
  readonly maxAbsDiff: number | null;
  /** Largest |got - expected| / |expected|. If expected is 0, the difference is 0 for a zero, otherwise infinity. */
  readonly maxRelDiff: number | null;
  /** Largest distance of two elements in units of the last place; `null` for dtypes other than floats. */
  readonly maxUlpDiff: number | null;
  /** Absent within the tolerance, and if differences are undefined. */
  readonly beyond?: {
    readonly elements: number;
    /** The element that exceeds the tolerance most. */
    readonly farthest: { readonly index: readonly number[]; readonly expected: number; readonly got: number };
  };
}

export function tensorDifference(
  name: string,
  expected: RawTensor,
  got: RawTensor | undefined,
  tolerance: Tolerance,
): TensorDifference {
  const apart = { name, withinTolerance: false, maxAbsDiff: null, maxRelDiff: null, maxUlpDiff: null };
  if (got?.dtype !== expected.dtype || got.shape.join() !== expected.shape.join()) return apart;
  if (expected.dtype === 'string' || got.dtype === 'string') {
    const same =
      'strings' in expected && 'strings' in got && expected.strings.every((s, i) => s === got.strings[i]);
    return { ...apart, withinTolerance: same };
  }
  return numericDifference(name, expected, got, tolerance) ?? apart;
}

function numericDifference(
  name: string,
  expected: NumericTensor,
  got: NumericTensor,
  { absolute, relative }: Tolerance,
): TensorDifference | undefined {
  const [a, b] = [typedView(expected), typedView(got)];
  const value = valueOf(expected.dtype);
  const order = orderOf(expected);
  const orderGot = orderOf(got);
  let elements = 0;
  let farthest = { index: 0, excess: 0 };
  let [maxAbsDiff, maxRelDiff, maxUlpDiff] = [0, 0, 0];
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [value(a, index), value(b, index)];
    if (Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    const difference = Math.abs(y - x);
    if (!Number.isFinite(difference)) return undefined;
    const excess = difference - (absolute + relative * Math.abs(x));
    if (excess > 0) elements++;
    if (excess > farthest.excess) farthest = { index, excess };
    maxAbsDiff = Math.max(maxAbsDiff, difference);
    maxRelDiff = Math.max(maxRelDiff, difference / Math.abs(x));
    if (order && orderGot)
      maxUlpDiff = Math.max(maxUlpDiff, Math.abs(Number(order(index) - orderGot(index))));
  }
  const { index } = farthest;
  const ends = { index: indexesOf(index, expected.shape), expected: value(a, index), got: value(b, index) };
  return {
    name,
    withinTolerance: elements === 0,
    maxAbsDiff,
    maxRelDiff,
    maxUlpDiff: order ? maxUlpDiff : null,
    ...(elements > 0 && { beyond: { elements, farthest: ends } }),
  };
}

/** The index of each dimension. */
function indexesOf(element: number, shape: readonly number[]): number[] {
  let rest = element;
  return shape
    .toReversed()
    .map((size) => {
      const index = rest % size;
      rest = (rest - index) / size;
      return index;
    })
    .reverse();
}

function valueOf(dtype: NumericTensor['dtype']): (array: TypedArray, index: number) => number {
  return dtype === 'float16'
    ? (array, index) => float16Value(Number(array[index]))
    : (array, index) => Number(array[index]);
}

/** The rank of each element among all floats of its dtype: neighbors are 1 apart. `undefined` for other dtypes. */
function orderOf(tensor: NumericTensor): ((index: number) => bigint) | undefined {
  const bits = bitsOf(tensor);
  if (bits === undefined) return undefined;
  const { view, width } = bits;
  const sign = 1n << BigInt(width - 1);
  return (index) => {
    const pattern = BigInt(view[index]);
    return pattern & sign ? sign - pattern : pattern;
  };
}

function bitsOf(tensor: NumericTensor): { view: TypedArray; width: number } | undefined {
  switch (tensor.dtype) {
    case 'float16':
      return { view: typedView({ ...tensor, dtype: 'uint16' }), width: 16 };
    case 'float32':
      return { view: typedView({ ...tensor, dtype: 'uint32' }), width: 32 };
    case 'float64':
      return { view: typedView({ ...tensor, dtype: 'uint64' }), width: 64 };
    default:
      return undefined;
  }
}
