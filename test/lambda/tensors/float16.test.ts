import * as fc from 'fast-check';
import { float16Bits, float16Value } from '../../../lambda/tensors/float16';

/** The value of a float16's 16 bits. */
function valueOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

describe('float16Bits', () => {
  it('returns the bits of every float16 value', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = valueOf(bits);
      expect(float16Bits(value)).toBe(Number.isNaN(value) ? 0x7e00 : bits);
    }
  });

  it('returns the bits of the float16 nearest to a number', () => {
    fc.assert(
      fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const bits = float16Bits(value);
        const distance = Math.abs(valueOf(bits) - value);
        for (const neighbor of [bits - 1, bits + 1]) {
          const other = valueOf(neighbor & 0xffff);
          if (Number.isFinite(other)) expect(distance).toBeLessThanOrEqual(Math.abs(other - value));
        }
      }),
    );
  });

  it.each([
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    // If rounded to float32 first, it would be halfway and round down.
    [1 + 2 ** -11 + 2 ** -40, 0x3c01],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [-65520, 0xfc00],
    [2 ** -14, 0x400],
    // Halfway between the highest subnormal float16 and the lowest normal one.
    [2 ** -14 - 2 ** -25, 0x400],
    [2 ** -14 - 2 ** -24, 0x3ff],
    [2 ** -25, 0],
    [2 ** -25 * 1.0001, 1],
  ])('rounds %d once, ties to even', (value, bits) => {
    expect(float16Bits(value)).toBe(bits);
  });
});

describe('float16Value', () => {
  it.each([
    [0, 0],
    [0x8000, -0],
    [1, 2 ** -24],
    [0x3ff, 2 ** -14 - 2 ** -24],
    [0x400, 2 ** -14],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7c01, NaN],
    [0xfe00, NaN],
  ])('of the bits %d is %d', (bits, value) => {
    expect(float16Value(bits)).toBe(value);
  });
});
