/** Compares tensors bit by bit, and measures how far apart they are. */
import { float16Value } from '../../lambda/tensors/float16';
import { type NumericTensor, type RawTensor, type TypedArray, typedView } from '../../lambda/tensors/tensor';

export interface TensorComparison extends Differences {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Whether dtype, shape and every bit are the same. */
  readonly identical: boolean;
}

/** `null` if undefined: for another dtype or shape, for strings that differ, or if a difference is not finite. */
interface Differences {
  readonly maxAbsDiff: number | null;
  /** Largest |got - expected| / |expected|. If expected is 0, the difference is 0 for a zero, otherwise infinity. */
  readonly maxRelDiff: number | null;
}

const NONE: Differences = { maxAbsDiff: 0, maxRelDiff: 0 };
const UNDEFINED: Differences = { maxAbsDiff: null, maxRelDiff: null };

export function compareTensor(
  name: string,
  expected: RawTensor,
  got: RawTensor | undefined,
): TensorComparison {
  const { dtype, shape } = expected;
  const identical = hasSameElements(expected, got);
  const differences = identical ? NONE : differencesOf(expected, got);
  return { name, dtype, shape, identical, ...differences };
}

/** The largest difference; `null` if one is undefined. */
export function largestDifference(differences: readonly (number | null)[]): number | null {
  return differences.includes(null) ? null : Math.max(0, ...differences.map(Number));
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

function differencesOf(expected: RawTensor, got: RawTensor | undefined): Differences {
  if (!hasSameHead(expected, got) || expected.dtype === 'string' || got.dtype === 'string') return UNDEFINED;
  const [a, b] = [typedView(expected), typedView(got)];
  const value = valueOf(expected.dtype);
  let [maxAbsDiff, maxRelDiff] = [0, 0];
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [value(a, index), value(b, index)];
    if (Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    const difference = Math.abs(y - x);
    if (!Number.isFinite(difference)) return UNDEFINED;
    maxAbsDiff = Math.max(maxAbsDiff, difference);
    maxRelDiff = Math.max(maxRelDiff, difference / Math.abs(x));
  }
  return { maxAbsDiff, maxRelDiff };
}

function valueOf(dtype: NumericTensor['dtype']): (array: TypedArray, index: number) => number {
  return dtype === 'float16'
    ? (array, index) => float16Value(Number(array[index]))
    : (array, index) => Number(array[index]);
}
