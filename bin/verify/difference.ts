/** Compares tensors bit by bit, and measures how far apart they are. */
import { float16Value } from '../../lambda/tensors/float16';
import { type NumericTensor, type RawTensor, type TypedArray, typedView } from '../../lambda/tensors/tensor';

export interface TensorComparison {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Whether dtype, shape and every bit are the same. */
  readonly identical: boolean;
  /** That of `TensorDifference`; 0 for identical tensors. */
  readonly maxAbsDiff: number | null;
}

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
}

export function compareTensor(
  name: string,
  expected: RawTensor,
  got: RawTensor | undefined,
): TensorComparison {
  const { dtype, shape } = expected;
  if (hasSameElements(expected, got)) return { name, dtype, shape, identical: true, maxAbsDiff: 0 };
  const { maxAbsDiff } = tensorDifference(name, expected, got, { absolute: 0, relative: 0 });
  return { name, dtype, shape, identical: false, maxAbsDiff };
}

export function tensorDifference(
  name: string,
  expected: RawTensor,
  got: RawTensor | undefined,
  tolerance: Tolerance,
): TensorDifference {
  const apart = { name, withinTolerance: false, maxAbsDiff: null, maxRelDiff: null };
  if (!hasSameHead(expected, got)) return apart;
  if (expected.dtype === 'string' || got.dtype === 'string') {
    return { ...apart, withinTolerance: hasSameElements(expected, got) };
  }
  return numericDifference(name, expected, got, tolerance) ?? apart;
}

function hasSameHead(expected: RawTensor, got: RawTensor | undefined): got is RawTensor {
  return got?.dtype === expected.dtype && got.shape.join() === expected.shape.join();
}

function hasSameElements(expected: RawTensor, got: RawTensor | undefined): boolean {
  if (!hasSameHead(expected, got)) return false;
  if ('strings' in expected) {
    return 'strings' in got && expected.strings.every((text, index) => text === got.strings[index]);
  }
  return 'bytes' in got && Buffer.compare(expected.bytes, got.bytes) === 0;
}

function numericDifference(
  name: string,
  expected: NumericTensor,
  got: NumericTensor,
  { absolute, relative }: Tolerance,
): TensorDifference | undefined {
  const [a, b] = [typedView(expected), typedView(got)];
  const value = valueOf(expected.dtype);
  let withinTolerance = true;
  let [maxAbsDiff, maxRelDiff] = [0, 0];
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [value(a, index), value(b, index)];
    if (Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    const difference = Math.abs(y - x);
    if (!Number.isFinite(difference)) return undefined;
    if (difference > absolute + relative * Math.abs(x)) withinTolerance = false;
    maxAbsDiff = Math.max(maxAbsDiff, difference);
    maxRelDiff = Math.max(maxRelDiff, difference / Math.abs(x));
  }
  return { name, withinTolerance, maxAbsDiff, maxRelDiff };
}

function valueOf(dtype: NumericTensor['dtype']): (array: TypedArray, index: number) => number {
  return dtype === 'float16'
    ? (array, index) => float16Value(Number(array[index]))
    : (array, index) => Number(array[index]);
}
