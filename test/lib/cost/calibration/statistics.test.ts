import fc from 'fast-check';
import { distributionOf, robustLine } from '../../../../lib/cost/calibration/statistics';
import { median, quantile } from '../../../../lib/compute-time/profile/quantiles';

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

  it('move and stretch the shape of a default distribution to the median and the quartiles of few samples', () => {
    const shape = [
      [25, 20],
      [50, 25],
      [75, 30],
      [95, 75],
    ] as const;

    expect(distributionOf([40, 60, 50], shape)).toEqual([
      [25, 45],
      [50, 50],
      [75, 55],
      [95, 100],
    ]);
  });

  it('give a distribution without spread for few samples that are all the same', () => {
    const shape = [
      [5, 10],
      [50, 20],
      [99, 90],
    ] as const;

    expect(distributionOf([160, 160, 160, 160, 160], shape).map(([, ms]) => ms)).toEqual([160, 160, 160]);
    expect(distributionOf([160, 170], [[50, 20]])).toEqual([[50, 165]]);
  });

  it('keep percentiles of few samples ascending and never negative', () => {
    const samples = fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 19 });
    const rises = fc.array(fc.double({ min: 0, max: 500, noNaN: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(samples, rises, (all, [first, second, third, fourth]) => {
        const shape = [
          [5, first],
          [50, first + second],
          [90, first + second + third],
          [99, first + second + third + fourth],
        ] as const;
        const delays = distributionOf(all, shape).map(([, ms]) => ms);

        expect(delays).toEqual([...delays].sort((a, b) => a - b));
        expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
      }),
    );
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
