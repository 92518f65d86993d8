import * as fc from 'fast-check';
import { correction } from '../../../../lib/work/profile/correction';
import { median, quantile } from '../../../../lib/work/profile/quantiles';

const sum = (times: readonly number[]): number => times.reduce((all, time) => all + time, 0);

describe('correction', () => {
  const times = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });

  it('makes the sum the total, and no time negative', () => {
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 50, noNaN: true }), (list, total) => {
        fc.pre(sum(list) > 1e-6);
        const corrected = list.map(correction(list, total));
        expect(Math.min(...corrected)).toBeGreaterThanOrEqual(0);
        expect(sum(corrected)).toBeCloseTo(total, 9);
      }),
    );
  });

  it('takes the same from each node when the profiler took longer', () => {
    expect([5, 3, 1].map(correction([5, 3, 1], 6))).toEqual([4, 2, 0]);
  });

  it('takes no more than a small node has', () => {
    expect([5, 3, 1].map(correction([5, 3, 1], 4))).toEqual([3, 1, 0]);
  });

  it('adds at most two microseconds to a node, and scales for the rest', () => {
    const [first, second] = [0.001, 0].map(correction([0.001, 0], 0.002));
    expect(second).toBeLessThan(4e-6);
    expect(first + second).toBeCloseTo(0.002, 12);
  });

  it('leaves a graph without nodes alone', () => {
    expect(correction([], 1)(0)).toBe(0);
  });
});

describe('quantile', () => {
  it('lies between two samples', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([3, 1, 2])).toBe(2);
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
    expect(quantile([1, 2], 0.25)).toBe(1.25);
  });

  it('is no number without samples', () => {
    expect(median([])).toBeNaN();
  });
});
