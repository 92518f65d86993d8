import * as fc from 'fast-check';
import { type QuantityKind, figureText, quantity, visible } from '../../../bin/plan/figures';

describe('figureText', () => {
  it.each<[QuantityKind, number, string]>([
    ['count', 1_234_567, '1,234,567'],
    ['bytes', 1_024, '1 KB'],
    ['bytes', 12.34 * 2 ** 20, '12.3 MB'],
    ['megabytes', 10_240, '10,240 MB'],
    ['bytes', 0, '0 B'],
    ['milliseconds', 0, '0 ms'],
    ['milliseconds', 0.0123, '12.3 µs'],
    ['milliseconds', 12.34, '12.3 ms'],
    ['milliseconds', 1_234, '1.23 s'],
    ['seconds', 0.0052, '5.2 ms'],
    ['dollars', 0, '$0'],
    ['dollars', 0.000_016_666_7, '$0.0000167'],
    ['dollars', 0.4, '$0.40'],
    ['dollars', 12.5, '$12.50'],
    ['dollars', 1_234_567.8, '$1,234,568'],
  ])('writes %s of %d as %s', (kind, value, text) => {
    expect(figureText(quantity(kind, value))).toBe(text);
  });

  it('keeps three significant digits of any size and time', () => {
    const kinds = fc.constantFrom<QuantityKind[]>('bytes', 'milliseconds', 'seconds');
    const sizes = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };
    const units: Record<string, number> = { ...sizes, µs: 1e-6, ms: 1e-3, s: 1 };
    fc.assert(
      fc.property(kinds, fc.double({ min: 1, max: 1e12, noNaN: true }), (kind, value) => {
        const [number, unit] = figureText(quantity(kind, value)).split(' ');
        const read = Number(number.replaceAll(',', '')) * units[unit] * (kind === 'milliseconds' ? 1e3 : 1);
        expect(Math.abs(read - value) / value).toBeLessThan(0.006);
      }),
    );
  });
});

test('visible shows characters that hide or turn text, and keeps all others', () => {
  expect(visible('a\u202eb\u0007c\u2028d é 字 <b>')).toBe('a\\u202eb\\u0007c\\u2028d é 字 <b>');
});
