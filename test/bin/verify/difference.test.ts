import { compareTensor, describeDifference, largestDifference } from '../../../bin/verify/difference';
import { type NumericTensor, type RawTensor, type TypedArray, bytesOf } from '../../../lambda/tensors/tensor';

function tensor(dtype: NumericTensor['dtype'], elements: TypedArray): RawTensor {
  return { dtype, shape: [elements.length], bytes: bytesOf(elements) };
}
const floats = (...elements: number[]): RawTensor => tensor('float32', Float32Array.from(elements));
const bits32 = (...patterns: number[]): RawTensor =>
  tensor('float32', new Float32Array(Uint32Array.from(patterns).buffer));
const halves = (...patterns: number[]): RawTensor => tensor('float16', Uint16Array.from(patterns));
const longs = (...elements: bigint[]): RawTensor => tensor('int64', BigInt64Array.from(elements));
const text = (...strings: string[]): RawTensor => ({ dtype: 'string', shape: [strings.length], strings });

describe('a comparison', () => {
  it.each<[string, RawTensor, RawTensor]>([
    ['NaN and a negative zero', floats(NaN, -0), floats(NaN, -0)],
    ['strings', text('a', 'ü'), text('a', 'ü')],
  ])('finds %s identical to themselves', (_, expected, got) => {
    const { dtype, shape } = expected;
    expect(compareTensor('y', expected, got)).toEqual({
      ...{ name: 'y', dtype, shape, identical: true, maxAbsDiff: 0, maxRelDiff: 0, otherDifferences: [] },
    });
  });

  it.each<[string, RawTensor, RawTensor | undefined, number | null, string]>([
    ['zeros of different signs', floats(0), floats(-0), 0, 'sign of zero'],
    ['zeros of different signs beside numbers', floats(0, 1), floats(-0, 2), 1, '1, sign of zero'],
    ['NaNs of different bits', floats(NaN), bits32(0x7fc00001), 0, 'NaN payload'],
    ['NaNs of different bits in float16', halves(0x7e00), halves(0xfe00), 0, 'NaN payload'],
    ['floats', floats(1, 2, 3), floats(1, 2.5, 2), 1, '1'],
    ['denormals', floats(2 ** -149), floats(0), 2 ** -149, String(2 ** -149)],
    ['integers', longs(1n, 5n), longs(3n, 5n), 2, '2'],
    ['integers beyond those of numbers', longs(2n ** 60n), longs(2n ** 60n + 1n), 1, '1'],
    // 1.0, -2.0 and the smallest number above 0.
    ['float16', halves(0x3c00, 0xc000, 1), halves(0x3c00, 0x4000, 0), 4, '4'],
    ['NaN and a number', floats(1, 2), floats(NaN, 3), null, 'NaN or infinity'],
    ['infinities', floats(Infinity), floats(-Infinity), null, 'NaN or infinity'],
    ['another dtype', floats(0), tensor('int32', Int32Array.of(0)), null, 'type or shape'],
    ['other strings', text('a'), text('b'), null, 'texts'],
    ['no tensor', floats(1), undefined, null, 'type or shape'],
  ])('measures the largest difference of %s', (_, expected, got, maxAbsDiff, words) => {
    const compared = compareTensor('y', expected, got);
    expect(compared).toMatchObject({ identical: false, maxAbsDiff });
    expect(compared.maxRelDiff === null).toBe(maxAbsDiff === null);
    expect(describeDifference(compared)).toBe(words);
  });
});

it('the largest difference of several tensors is one of them, and has what else differs in any', () => {
  const all = [
    compareTensor('a', floats(1), floats(3)),
    compareTensor('b', floats(0), floats(-0)),
    compareTensor('c', floats(5), floats(5)),
  ];
  expect(largestDifference(all)).toEqual({ maxAbsDiff: 2, otherDifferences: ['sign of zero'] });
  const undefinedToo = [...all, compareTensor('d', floats(1), floats(NaN))];
  expect(describeDifference(largestDifference(undefinedToo))).toBe('sign of zero, NaN or infinity');
});

test.each([
  [floats(2, 4), floats(2, 4 + 2 ** -20), 2 ** -22],
  [floats(1, -2, NaN, Infinity, 0), floats(1, -2, NaN, Infinity, -0), 0],
  [floats(0), floats(1), Infinity],
])('a difference is relative to what is expected', (expected, got, maxRelDiff) => {
  expect(compareTensor('y', expected, got)).toMatchObject({ identical: false, maxRelDiff });
});
