import * as fc from 'fast-check';
import { UnknownDimensions } from '../../../lib/shapes/unknown-dimensions';

describe('the bound of unknown dimensions', () => {
  test('is unknown until a group has them all', () => {
    const dimensions = new UnknownDimensions();
    dimensions.add(['a'], 3);
    expect(dimensions.bound(['a'])).toBe(3);
    expect(dimensions.bound(['a', 'b'])).toBeUndefined();
    expect(dimensions.bound([])).toBe(1);
  });

  test('of dimensions that a value got at once is not a product of guesses', () => {
    const dimensions = new UnknownDimensions();
    dimensions.add(['a', 'b'], 100);
    expect(dimensions.bound(['b', 'a'])).toBe(100);
    expect(dimensions.bound(['a'])).toBe(100);
    dimensions.add(['c'], 2);
    expect(dimensions.bound(['a', 'b', 'c'])).toBe(200);
  });

  test('is the smallest of 200,000 groups', () => {
    const dimensions = new UnknownDimensions();
    for (let group = 0; group < 200_000; group++) dimensions.add(['a', `b${group}`], 300_000 - group);
    expect(dimensions.bound(['a'])).toBe(100_001);
  });

  test('is the smallest of equal groups', () => {
    const dimensions = new UnknownDimensions();
    for (const bound of [5, 3, 4]) dimensions.add(['a', 'b'], bound);
    expect(dimensions.bound(['a', 'b'])).toBe(3);
  });

  test('is never below the true product', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
    const groups = fc.array(fc.tuple(fc.nat(31), fc.integer({ min: 0, max: 5 })), { maxLength: 6 });
    fc.assert(
      fc.property(sizes, groups, fc.nat(31), (truth, added, asked) => {
        const namesOf = (mask: number) => truth.flatMap((_, index) => ((mask >> index) & 1 ? [index] : []));
        const product = (indexes: readonly number[]) => indexes.reduce((all, index) => all * truth[index], 1);
        const dimensions = new UnknownDimensions();
        for (const [mask, slack] of added) {
          const names = namesOf(mask);
          dimensions.add(names.map(String), product(names) + slack);
        }
        const names = namesOf(asked);
        const bound = dimensions.bound(names.map(String)) ?? Infinity;
        expect(bound).toBeGreaterThanOrEqual(product(names));
      }),
    );
  });
});
