import * as fc from 'fast-check';
import { float16Bits } from '../../../lambda/tensors/float16';
import { halved, widened } from '../../../lambda/tensors/half-precision';
import { typedView, type NumericTensor } from '../../../lambda/tensors/tensor';

function float32(...values: number[]): NumericTensor {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return { dtype: 'float32', shape: [values.length], bytes };
}

function roundTrip(...values: number[]): number[] | undefined {
  const half = halved(float32(...values));
  return half && ([...typedView(widened(half))] as number[]);
}

describe('tensors at half precision', () => {
  it('have the same bits as float16Bits returns', () => {
    const finite = fc.float({ min: -65503, max: 65503, noNaN: true });
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1 }), (values) => {
        const half = halved(float32(...values));
        expect(half && [...typedView(half)]).toEqual(values.map(float16Bits));
      }),
      { numRuns: 2000 },
    );
  });

  it('convert back with an error of at most 2^-11 of a value, or of 2^-25', () => {
    fc.assert(
      fc.property(fc.float({ min: -65503, max: 65503, noNaN: true }), (value) => {
        const [back] = roundTrip(value) ?? [NaN];
        expect(Math.abs(back - value)).toBeLessThanOrEqual(Math.max(Math.abs(value) * 2 ** -11, 2 ** -25));
      }),
      { numRuns: 2000 },
    );
  });

  it('preserve every float16 value', () => {
    const values = Array.from({ length: 0x7c00 }, (_, bits) => {
      const view = new DataView(new ArrayBuffer(2));
      view.setUint16(0, bits);
      return bits < 0x400 ? bits * 2 ** -24 : (1 + (bits & 0x3ff) / 1024) * 2 ** ((bits >> 10) - 15);
    });
    expect(roundTrip(...values)).toEqual(values);
    expect(roundTrip(...values.map((value) => -value))).toEqual(values.map((value) => -value));
  });

  it.each([[0], [-0], [Infinity], [-Infinity], [NaN], [2 ** -24], [2 ** -26], [1e-45], [65504], [65519]])(
    'have the bits of float16Bits for %d',
    (value) => {
      const bits = float16Bits(value);
      const half = halved(float32(value));
      expect(half && [...typedView(half)]).toEqual([Number.isNaN(value) ? 0x7e00 : bits]);
    },
  );

  it.each([
    [1 + 2 ** -11, 1],
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [-1 - 2 ** -11, -1],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2 ** -23],
    [2 ** -14 - 2 ** -25, 2 ** -14],
  ])('round %d, which is halfway between two values, to the even one', (value, even) => {
    expect(roundTrip(value)).toEqual([even]);
  });

  it('preserve infinities and NaN', () => {
    expect(roundTrip(Infinity, -Infinity, NaN)).toEqual([Infinity, -Infinity, NaN]);
  });

  it.each([[65520], [65536], [-65536], [-1e30], [3e38]])(
    'are undefined for %d, which is too large',
    (value) => {
      expect(halved(float32(1, value))).toBeUndefined();
    },
  );

  it('can be empty', () => {
    expect(halved(float32())?.bytes.byteLength).toBe(0);
  });
});
