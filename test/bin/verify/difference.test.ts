import { tensorDifference } from '../../../bin/verify/difference';
import { type NumericTensor, type RawTensor, type TypedArray, bytesOf } from '../../../lambda/tensors/tensor';

const tolerance = { absolute: 1e-5, relative: 1e-3 };

function tensor(dtype: NumericTensor['dtype'], elements: TypedArray): RawTensor {
  return { dtype, shape: [elements.length], bytes: bytesOf(elements) };
}
const floats = (...elements: number[]): RawTensor => tensor('float32', Float32Array.from(elements));
const bits32 = (...patterns: number[]): RawTensor =>
  tensor('float32', new Float32Array(Uint32Array.from(patterns).buffer));
const difference = (expected: RawTensor, got: RawTensor) => tensorDifference('y', expected, got, tolerance);

describe('a difference', () => {
  it('is zero for equal tensors with NaNs and zeros of any sign', () => {
    const nothing = { name: 'y', withinTolerance: true, maxAbsDiff: 0, maxRelDiff: 0, maxUlpDiff: 0 };
    expect(difference(floats(1, -2, NaN, Infinity, 0), floats(1, -2, NaN, Infinity, -0))).toEqual(nothing);
  });

  it('is absolute, relative, and in units of the last place', () => {
    expect(difference(floats(2, 4), floats(2, 4 + 2 ** -20))).toEqual({
      name: 'y',
      withinTolerance: true,
      maxAbsDiff: 2 ** -20,
      maxRelDiff: 2 ** -22,
      maxUlpDiff: 2,
    });
  });

  it('counts units in the last place also across zero', () => {
    // The smallest float above zero and the one below it are two apart.
    expect(difference(bits32(0x00000001), bits32(0x80000001))).toMatchObject({ maxUlpDiff: 2 });
    expect(difference(bits32(0x3f800000), bits32(0x3f7fffff))).toMatchObject({ maxUlpDiff: 1 });
    expect(
      difference(tensor('float64', Float64Array.of(1)), tensor('float64', Float64Array.of(1 + 2 ** -52))),
    ).toMatchObject({ maxUlpDiff: 1 });
    expect(
      difference(tensor('float16', Uint16Array.of(0x3c00)), tensor('float16', Uint16Array.of(0x3c03))),
    ).toMatchObject({
      maxUlpDiff: 3,
      maxAbsDiff: 3 * 2 ** -10,
    });
  });

  it.each([
    [100, 100.099, true],
    [100, 100.11, false],
    [0, 0.9e-5, true],
    [0, 1.1e-5, false],
  ])('of %f and %f is within tolerance: %s', (expected, got, within) => {
    expect(difference(floats(expected), floats(got)).withinTolerance).toBe(within);
  });

  it('beyond the tolerance has a number of elements and the farthest of them', () => {
    const [expected, got] = [
      [0, 1, 2, 3, 4, 5],
      [0, 1.1, 2, 2, 4, 5.2],
    ].map((elements): RawTensor => ({ ...floats(...elements), shape: [2, 3] }));
    expect(difference(expected, got).beyond).toEqual({
      elements: 3,
      farthest: { index: [1, 0], expected: 3, got: 2 },
    });
  });

  it('of integers has no units in the last place', () => {
    expect(difference(tensor('int64', BigInt64Array.of(5n)), tensor('int64', BigInt64Array.of(7n)))).toEqual({
      name: 'y',
      withinTolerance: false,
      maxAbsDiff: 2,
      maxRelDiff: 0.4,
      maxUlpDiff: null,
      beyond: { elements: 1, farthest: { index: [0], expected: 5, got: 7 } },
    });
  });

  it.each([
    ['another shape', floats(1, 2), floats(1)],
    ['another dtype', floats(1), tensor('int32', Int32Array.of(1))],
    ['one NaN', floats(NaN), floats(1)],
    ['one infinity', floats(Infinity), floats(1)],
    [
      'different strings',
      { dtype: 'string', shape: [1], strings: ['a'] } as const,
      { dtype: 'string', shape: [1], strings: ['b'] } as const,
    ],
  ])('is undefined for %s', (_, expected, got) => {
    expect(difference(expected, got)).toEqual({
      name: 'y',
      withinTolerance: false,
      maxAbsDiff: null,
      maxRelDiff: null,
      maxUlpDiff: null,
    });
  });

  it('of equal strings is within tolerance', () => {
    const text: RawTensor = { dtype: 'string', shape: [1], strings: ['a'] };
    expect(difference(text, text).withinTolerance).toBe(true);
  });

  it('of a missing tensor is beyond tolerance', () => {
    expect(tensorDifference('y', floats(1), undefined, tolerance).withinTolerance).toBe(false);
  });
});
