import { compareTensor } from '../../../bin/verify/compare';
import { type RawTensor, type TypedArray, bytesOf } from '../../../lambda/tensors/tensor';

function tensor(dtype: Exclude<RawTensor['dtype'], 'string'>, elements: TypedArray): RawTensor {
  return { dtype, shape: [elements.length], bytes: bytesOf(elements) };
}

function floats(...elements: number[]): RawTensor {
  return tensor('float32', Float32Array.from(elements));
}

function text(...strings: string[]): RawTensor {
  return { dtype: 'string', shape: [strings.length], strings };
}

function compare(expected: RawTensor, got?: RawTensor) {
  const { identical, maxAbsDiff } = compareTensor('y', expected, got);
  return { identical, maxAbsDiff };
}

const IDENTICAL = { identical: true, maxAbsDiff: 0 };
const INCOMPARABLE = { identical: false, maxAbsDiff: null };

describe('compareTensor', () => {
  it('returns the name, dtype and shape of the tensor', () => {
    expect(compareTensor('y', floats(1, 2), floats(1, 2))).toEqual({
      name: 'y',
      dtype: 'float32',
      shape: [2],
      ...IDENTICAL,
    });
  });

  it('compares bits: NaN equals itself, zeros of different signs differ', () => {
    expect(compare(floats(NaN, -0), floats(NaN, -0))).toEqual(IDENTICAL);
    expect(compare(floats(0), floats(-0))).toEqual({ identical: false, maxAbsDiff: 0 });
    const quiet = tensor('float32', new Float32Array(Uint32Array.of(0x7fc00001).buffer));
    expect(compare(floats(NaN), quiet)).toEqual({ identical: false, maxAbsDiff: 0 });
  });

  it('returns the largest difference', () => {
    expect(compare(floats(1, 2, 3), floats(1, 2.5, 2))).toEqual({ identical: false, maxAbsDiff: 1 });
    const [a, b] = [BigInt64Array.of(1n, 5n), BigInt64Array.of(3n, 5n)];
    expect(compare(tensor('int64', a), tensor('int64', b))).toEqual({ identical: false, maxAbsDiff: 2 });
    // 1.0, -2.0 and the smallest number above 0 as half-precision patterns.
    const [c, d] = [Uint16Array.of(0x3c00, 0xc000, 1), Uint16Array.of(0x3c00, 0x4000, 0)];
    expect(compare(tensor('float16', c), tensor('float16', d))).toEqual({ identical: false, maxAbsDiff: 4 });
  });

  it('returns null if the difference is undefined', () => {
    expect(compare(floats(1), floats(NaN))).toEqual(INCOMPARABLE);
    expect(compare(floats(Infinity), floats(1))).toEqual(INCOMPARABLE);
    expect(compare(floats(1), floats(1, 2))).toEqual(INCOMPARABLE);
    expect(compare(floats(0), tensor('int32', Int32Array.of(0)))).toEqual(INCOMPARABLE);
    expect(compare(floats(1))).toEqual(INCOMPARABLE);
  });

  it('compares strings', () => {
    expect(compare(text('a', 'ü'), text('a', 'ü'))).toEqual(IDENTICAL);
    expect(compare(text('a'), text('b'))).toEqual(INCOMPARABLE);
  });
});
