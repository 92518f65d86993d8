import * as fc from 'fast-check';
import { float16Bits, float16Value } from '../../../lambda/tensors/float16';

/** Every float16 but infinities and NaNs; the lowest bit pattern of each sign comes first. */
const FINITE = [0, 0x8000].flatMap((sign) => Array.from({ length: 0x7c00 }, (_, bits) => sign | bits));

describe('float16', () => {
  it('keeps every value', () => {
    expect(FINITE.map(float16Value).map(float16Bits)).toEqual(FINITE);
    expect([0x7c00, 0xfc00, 0x7e00].map(float16Value)).toEqual([Infinity, -Infinity, NaN]);
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
    // If rounded to float32 first, it would be halfway and round down.
    [1 + 2 ** -11 + 2 ** -40, 0x3c01],
    [65520, 0x7c00],
    [-65520, 0xfc00],
  ])('rounds %d once, ties to even', (value, bits) => {
    expect(float16Bits(value)).toBe(bits);
  });
});
