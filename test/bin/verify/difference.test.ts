import { compareTensor } from '../../../bin/verify/difference';
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
      ...{ name: 'y', dtype, shape, identical: true, maxAbsDiff: 0, maxRelDiff: 0 },
    });
  });

  it.each<[string, RawTensor, RawTensor | undefined, number | null]>([
    ['zeros of different signs', floats(0), floats(-0), 0],
    ['NaNs of different bits', floats(NaN), bits32(0x7fc00001), 0],
    ['floats', floats(1, 2, 3), floats(1, 2.5, 2), 1],
    ['integers', longs(1n, 5n), longs(3n, 5n), 2],
    // 1.0, -2.0 and the smallest number above 0.
    ['float16', halves(0x3c00, 0xc000, 1), halves(0x3c00, 0x4000, 0), 4],
    ['NaN and a number', floats(1), floats(NaN), null],
    ['another dtype', floats(0), tensor('int32', Int32Array.of(0)), null],
    ['other strings', text('a'), text('b'), null],
    ['no tensor', floats(1), undefined, null],
  ])('measures the largest difference of %s', (_, expected, got, maxAbsDiff) => {
    const compared = compareTensor('y', expected, got);
    expect(compared).toMatchObject({ identical: false, maxAbsDiff });
    expect(compared.maxRelDiff === null).toBe(maxAbsDiff === null);
  });
});

test.each([
  [floats(2, 4), floats(2, 4 + 2 ** -20), 2 ** -22],
  [floats(1, -2, NaN, Infinity, 0), floats(1, -2, NaN, Infinity, -0), 0],
  [floats(0), floats(1), Infinity],
])('a difference is relative to what is expected', (expected, got, maxRelDiff) => {
  expect(compareTensor('y', expected, got)).toMatchObject({ identical: false, maxRelDiff });
});
