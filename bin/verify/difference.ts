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

export type LargestDifference = Pick<Differences, 'maxAbsDiff' | 'otherDifferences'>;

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

/** Whether any element is a number, neither NaN nor infinite. An empty tensor and texts count as numbers. */
export function hasNumbers(tensor: RawTensor): boolean {
  if (tensor.dtype === 'string') return true;
  const elements = typedView(tensor);
  const value = valueOf(tensor.dtype);
  return elements.length === 0 || elements.some((_, index) => Number.isFinite(value(elements, index)));
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
  if (!hasSameHead(expected, got)) return unmeasured('type or shape');
  if (expected.dtype === 'string' || got.dtype === 'string') return unmeasured('texts');
  const [a, b] = [typedView(expected), typedView(got)];
  const value = valueOf(expected.dtype);
  const others = new Set<OtherDifference>();
  let [maxAbsDiff, maxRelDiff] = [0, 0];
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [value(a, index), value(b, index)];
    const [given, found] = [a[index], b[index]];
    if (typeof given === 'bigint' && typeof found === 'bigint') {
      // Numbers of 64 bits would lose the last bits of large integers.
      maxAbsDiff = Math.max(maxAbsDiff, Math.abs(Number(found - given)));
    } else if (Number.isNaN(x) && Number.isNaN(y)) {
      if (!hasSameBits(expected, got, index)) others.add('NaN payload');
      continue;
    } else if (x === y) {
      if (!Object.is(x, y)) others.add('sign of zero');
      continue;
    } else if (!Number.isFinite(y - x)) {
      others.add('NaN or infinity');
      continue;
    }
    maxAbsDiff = Math.max(maxAbsDiff, Math.abs(y - x));
    if (x !== y) maxRelDiff = Math.max(maxRelDiff, Math.abs(y - x) / Math.abs(x));
  }
  const otherDifferences = [...others];
  return others.has('NaN or infinity')
    ? { maxAbsDiff: null, maxRelDiff: null, otherDifferences }
    : { maxAbsDiff, maxRelDiff, otherDifferences };
}

function unmeasured(difference: OtherDifference): Differences {
  return { maxAbsDiff: null, maxRelDiff: null, otherDifferences: [difference] };
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
