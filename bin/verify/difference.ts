/** Compares tensors bit by bit, and measures how far apart they are. */
import { largestOf } from '../../lib/extremes';
import { float16Value } from '../../lambda/tensors/float16';
import {
  type NumericTensor,
  type RawTensor,
  type TypedArray,
  elementBytes,
  typedView,
} from '../../lambda/tensors/tensor';

export interface TensorComparison extends Differences {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Whether dtype, shape and every bit are the same. */
  readonly identical: boolean;
}

/** How elements can differ without a measurable distance. */
export type OtherDifference = 'type or shape' | 'texts' | 'NaN or infinity' | 'NaN payload' | 'sign of zero';

interface Differences {
  /** The largest absolute difference; `null` if there is no such number: for another dtype or shape, texts, and NaN or infinity beside another value. */
  readonly maxAbsDiff: number | null;
  /** Largest |got - expected| / |expected|, `null` as `maxAbsDiff`. If expected is 0, the difference is 0 for a zero, otherwise infinity. */
  readonly maxRelDiff: number | null;
  /** What else differs: bits of NaN, the sign of zeros, and all for which `maxAbsDiff` is `null`. */
  readonly otherDifferences: readonly OtherDifference[];
}

const NONE: Differences = { maxAbsDiff: 0, maxRelDiff: 0, otherDifferences: [] };

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

type LargestDifference = Pick<Differences, 'maxAbsDiff' | 'otherDifferences'>;

/** Over several tensors, as for one. */
export function largestDifference(all: readonly LargestDifference[]): LargestDifference {
  const numbers = all.map(({ maxAbsDiff }) => maxAbsDiff);
  return {
    maxAbsDiff: numbers.includes(null) ? null : largestOf([0, ...numbers.map(Number)]),
    otherDifferences: [...new Set(all.flatMap(({ otherDifferences }) => otherDifferences))],
  };
}

/** In words: the largest difference, and what differs without being measured. @param largest as it is to be printed */
export function describeDifference(
  { maxAbsDiff, otherDifferences }: LargestDifference,
  largest: string | number = String(maxAbsDiff),
): string {
  const isMeasured = maxAbsDiff !== null && (maxAbsDiff > 0 || otherDifferences.length === 0);
  return [...(isMeasured ? [largest] : []), ...otherDifferences].join(', ');
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
  const unmeasured = { maxAbsDiff: null, maxRelDiff: null };
  if (!hasSameHead(expected, got)) return { ...unmeasured, otherDifferences: ['type or shape'] };
  if (expected.dtype === 'string' || got.dtype === 'string')
    return { ...unmeasured, otherDifferences: ['texts'] };
  const [a, b] = [typedView(expected), typedView(got)];
  const value = valueOf(expected.dtype);
  const others = new Set<OtherDifference>();
  let [maxAbsDiff, maxRelDiff] = [0, 0];
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [value(a, index), value(b, index)];
    // Numbers would lose the last bits of large integers of 64 bits.
    const difference = Math.abs(Number(isLong(a) && isLong(b) ? b[index] - a[index] : y - x));
    if (Number.isNaN(x) && Number.isNaN(y)) {
      if (!hasSameBits(expected, got, index)) others.add('NaN payload');
    } else if (x === y && !Object.is(x, y)) others.add('sign of zero');
    else if (!Number.isFinite(difference)) {
      if (x !== y) others.add('NaN or infinity');
    } else if (difference > 0) {
      maxAbsDiff = Math.max(maxAbsDiff, difference);
      maxRelDiff = Math.max(maxRelDiff, difference / Math.abs(x));
    }
  }
  const isMeasured = !others.has('NaN or infinity');
  return { ...(isMeasured ? { maxAbsDiff, maxRelDiff } : unmeasured), otherDifferences: [...others] };
}

function isLong(array: TypedArray): array is BigInt64Array | BigUint64Array {
  return array instanceof BigInt64Array || array instanceof BigUint64Array;
}

function hasSameBits({ dtype, bytes }: NumericTensor, got: NumericTensor, index: number): boolean {
  const size = elementBytes(dtype);
  const [start, end] = [index * size, (index + 1) * size];
  return Buffer.compare(bytes.subarray(start, end), got.bytes.subarray(start, end)) === 0;
}

function valueOf(dtype: NumericTensor['dtype']): (array: TypedArray, index: number) => number {
  return dtype === 'float16'
    ? (array, index) => float16Value(Number(array[index]))
    : (array, index) => Number(array[index]);
}
