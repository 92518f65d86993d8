import fc from 'fast-check';
import { distributionOf, median, quantile, robustLine } from '../../../../lib/cost/calibration/statistics';

describe('robust statistics', () => {
  it('find the median of odd and even numbers of samples', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  it('keep quantiles between the lowest and the highest sample', () => {
    const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const value = quantile(all, share);
        expect(value).toBeGreaterThanOrEqual(all.reduce((least, one) => Math.min(least, one)));
        expect(value).toBeLessThanOrEqual(all.reduce((most, one) => Math.max(most, one)));
      }),
    );
  });

  it('find a line although a quarter of the points is far away', () => {
    const points = Array.from({ length: 20 }, (_, x) => [x, x % 4 === 3 ? 9_000 : 50 + 12 * x] as const);
    const line = robustLine(points);

    expect(line?.slope).toBeCloseTo(12, 0);
    expect(line?.intercept).toBeGreaterThan(45);
    expect(line?.intercept).toBeLessThan(90);
  });

  it('find no line through points of one size', () => {
    expect(
      robustLine([
        [3, 1],
        [3, 2],
      ]),
    ).toBeUndefined();
  });

  it('scale the shape of a default distribution to the median of few samples', () => {
    expect(
      distributionOf(
        [40, 60, 50],
        [
          [50, 25],
          [95, 75],
        ],
      ),
    ).toEqual([
      [50, 50],
      [95, 150],
    ]);
  });

  it('take the percentiles of many samples themselves', () => {
    const samples = Array.from({ length: 101 }, (_, index) => index);

    expect(distributionOf(samples, [[50, 1]])).toEqual([
      [5, 5],
      [50, 50],
      [90, 90],
      [95, 95],
    ]);
  });
});
