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
  /** Absent within the tolerance, and if differences are undefined. */
  readonly beyond?: {
    readonly elements: number;
    /** The element that exceeds the tolerance most. */
    readonly farthest: { readonly index: readonly number[]; readonly expected: number; readonly got: number };
  };
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
  let elements = 0;
  let farthest = { index: 0, excess: 0 };
  let [maxAbsDiff, maxRelDiff] = [0, 0];
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
  }
  const { index } = farthest;
  const ends = { index: indexesOf(index, expected.shape), expected: value(a, index), got: value(b, index) };
  return {
    name,
    withinTolerance: elements === 0,
    maxAbsDiff,
    maxRelDiff,
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
