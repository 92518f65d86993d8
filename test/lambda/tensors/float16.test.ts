import * as fc from 'fast-check';
import { float16Bits, float16Value, halved, widened } from '../../../lambda/tensors/float16';
import { typedView } from '../../../lambda/tensors/tensor';
import { float32 } from '../../support/tensors';

/** The bits of numbers at half precision, and the numbers that they become again. */
function halves(...values: number[]): { bits: number[]; back: number[] } | undefined {
  const half = halved(float32([values.length], values));
  return half && { bits: [...typedView(half)] as number[], back: [...typedView(widened(half))] as number[] };
}

/** Every float16 but infinities and NaNs; the lowest bit pattern of each sign comes first. */
const FINITE = [0, 0x8000].flatMap((sign) => Array.from({ length: 0x7c00 }, (_, bits) => sign | bits));

describe('float16', () => {
  it('keeps every value, in numbers and in tensors', () => {
    const values = FINITE.map(float16Value);
    expect(values.map(float16Bits)).toEqual(FINITE);
    expect(halves(...values)).toEqual({ bits: FINITE, back: values });
    expect(halves(Infinity, -Infinity, NaN)?.back).toEqual([Infinity, -Infinity, NaN]);
    expect([Infinity, -Infinity, NaN].map(float16Bits)).toEqual([0x7c00, 0xfc00, 0x7e00]);
  });

  it('is the nearest one to a number', () => {
    fc.assert(
      fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const bits = float16Bits(value);
        const distance = Math.abs(float16Value(bits) - value);
        for (const neighbor of [bits - 1, bits + 1]) {
          const other = float16Value(neighbor & 0xffff);
          if (Number.isFinite(other)) expect(distance).toBeLessThanOrEqual(Math.abs(other - value));
        }
      }),
    );
  });

  it('has the same bits in tensors', () => {
    const finite = fc.float({ min: -65503, max: 65503, noNaN: true });
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1 }), (values) => {
        expect(halves(...values)?.bits).toEqual(values.map(float16Bits));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [65519, 0x7bff],
    // Halfway between the highest subnormal float16 and the lowest normal one.
    [2 ** -14 - 2 ** -25, 0x400],
    [2 ** -14 - 2 ** -24, 0x3ff],
    [3 * 2 ** -25, 2],
    [2 ** -25, 0],
    [2 ** -25 * 1.0001, 1],
  ])('rounds %d once, ties to even', (value, bits) => {
    expect(float16Bits(value)).toBe(bits);
    expect(halves(value)?.bits).toEqual([bits]);
  });

  it.each([
    // If rounded to float32 first, it would be halfway and round down.
    [1 + 2 ** -11 + 2 ** -40, 0x3c01],
    [65520, 0x7c00],
    [-65520, 0xfc00],
  ])('rounds the double %d once', (value, bits) => {
    expect(float16Bits(value)).toBe(bits);
  });

  it.each([65520, 65536, -65536, -1e30, 3e38])(
    'does not exist for a tensor with %d, which is too large',
    (value) => {
      expect(halves(1, value)).toBeUndefined();
    },
  );
});
