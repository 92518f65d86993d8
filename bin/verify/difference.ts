/** How far two tensors are apart, where nobody promises that they are the same. */
import { float16Value } from '../../lambda/tensors/float16';
import type { NumericTensor, RawTensor, TypedArray } from '../../lambda/tensors/tensor';
import { typedView } from '../../lambda/tensors/tensor';

/** `|got - expected| <= absolute + relative * |expected|`, as NumPy's `allclose` has it. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** Differences are `null` where none can be given: other type or shape, strings, or finite on one side only. */
export interface TensorDifference {
  readonly name: string;
  readonly withinTolerance: boolean;
  readonly maxAbsDiff: number | null;
  /** Largest |got - expected| / |expected|; where expected is 0, only 0 differs by nothing, all else by infinity. */
  readonly maxRelDiff: number | null;
  /** Largest number of floating-point numbers that lie between two elements; `null` for types that are not floats. */
  readonly maxUlpDiff: number | null;
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
  let withinTolerance = true;
  let [maxAbsDiff, maxRelDiff, maxUlpDiff] = [0, 0, 0];
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [value(a, index), value(b, index)];
    if (Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    const difference = Math.abs(y - x);
    if (!Number.isFinite(difference)) return undefined;
    withinTolerance &&= difference <= absolute + relative * Math.abs(x);
    maxAbsDiff = Math.max(maxAbsDiff, difference);
    maxRelDiff = Math.max(maxRelDiff, difference / Math.abs(x));
    if (order && orderGot)
      maxUlpDiff = Math.max(maxUlpDiff, Math.abs(Number(order(index) - orderGot(index))));
  }
  return { name, withinTolerance, maxAbsDiff, maxRelDiff, maxUlpDiff: order ? maxUlpDiff : null };
}

function valueOf(dtype: NumericTensor['dtype']): (array: TypedArray, index: number) => number {
  return dtype === 'float16'
    ? (array, index) => float16Value(Number(array[index]))
    : (array, index) => Number(array[index]);
}

/** The place of each element among all floats of its type, so that neighbors are 1 apart; absent for other types. */
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
