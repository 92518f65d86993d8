import * as fc from 'fast-check';
import type { Pairs } from '../../../lib/cost/constants/constant';
import { GRID_MS, LatencyDistribution } from '../../../lib/cost/latency/latency-distribution';

/** By value of the grid: its probability. */
function masses(own: LatencyDistribution): [ms: number, mass: number][] {
  const steps = Math.round((own.greatest - own.least) / GRID_MS) + 1;
  return Array.from({ length: steps }, (_, step) => {
    const ms = own.least + step * GRID_MS;
    return [ms, own.shareWithin(ms) - own.shareWithin(ms - GRID_MS)];
  });
}

/** Percentiles that rise, as a published table has them. */
const tables = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 0, max: 400 })), {
    minLength: 1,
    maxLength: 6,
    selector: ([percent]) => percent,
  })
  .map((pairs): Pairs => {
    const percents = pairs.map(([percent]) => percent).sort((a, b) => a - b);
    const delays = pairs.map(([, ms]) => ms).sort((a, b) => a - b);
    return percents.map((percent, index) => [percent, delays[index]] as const);
  });
const distributions = tables.map((table) => LatencyDistribution.fromPercentiles(table));
const shares = fc.double({ min: 0.01, max: 1, noNaN: true });

describe('a distribution of published percentiles', () => {
  it('is a constant if one percentile was published, and otherwise has the mean of straight lines', () => {
    const one = LatencyDistribution.fromPercentiles([[50, 4.8]]);
    expect([one.quantile(0.01), one.quantile(1), one.mean]).toEqual([4.8, 4.8, 4.8]);
    // A tenth at 20, eight tenths around 40, and a tenth at 60.
    const pairs = [10, 90].map((percent) => [percent, percent / 2 + 15] as const);
    expect(LatencyDistribution.fromPercentiles(pairs).mean).toBeCloseTo(40, 9);
  });

  it('has quantiles that rise, and shares that reach 1', () => {
    fc.assert(
      fc.property(distributions, shares, (own, share) => {
        expect(own.quantile(share)).toBeGreaterThanOrEqual(own.least);
        expect(own.shareWithin(own.quantile(share))).toBeGreaterThanOrEqual(share - 1e-9);
        expect(own.shareWithin(own.greatest)).toBeCloseTo(1, 9);
        expect(own.shareWithin(own.least - 0.5)).toBe(0);
      }),
    );
  });
});

test('a sum of delays is within a time if the rest of it suffices for the second one', () => {
  fc.assert(
    fc.property(distributions, distributions, shares, (a, b, share) => {
      const sum = a.plus(b);
      const ms = sum.quantile(share);
      const within = masses(a).reduce((total, [own, mass]) => total + mass * b.shareWithin(ms - own), 0);
      expect(sum.shareWithin(ms)).toBeCloseTo(within, 6);
      expect(a.times(3).quantile(share)).toBeCloseTo(a.plus(a).plus(a).quantile(share), 9);
    }),
  );
});

it('the longer one of two delays has the mean of all pairs', () => {
  fc.assert(
    fc.property(distributions, distributions, (a, b) => {
      const pairs = masses(a).flatMap(([own, mass]) =>
        masses(b).map(([other, more]) => mass * more * Math.max(own, other)),
      );
      const mean = pairs.reduce((sum, part) => sum + part, 0);
      expect(a.max(b).mean).toBeCloseTo(mean, 6);
    }),
    { numRuns: 30 },
  );
});

it('the longer one of two delays is at least each of them, and the other one if that is always longer', () => {
  fc.assert(
    fc.property(distributions, distributions, shares, (a, b, share) => {
      const longer = a.max(b);
      const least = Math.max(a.quantile(share), b.quantile(share)) - GRID_MS;
      expect(longer.quantile(Math.max(share, 0.05))).toBeGreaterThanOrEqual(least);
    }),
  );
  const [short, long] = [5, 9].map((ms) => LatencyDistribution.constant(ms));
  expect([short.max(long), long.max(short)]).toEqual([long, long]);
});

test('a mix of two delays has the mean of both by their shares, and is one of them if the other never happens', () => {
  const any = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(distributions, distributions, any, (a, b, share) => {
      expect(a.mixedWith(b, share).mean).toBeCloseTo(a.mean * (1 - share) + b.mean * share, 6);
      expect(a.mixedWith(b, 0)).toBe(a);
      expect(a.mixedWith(b, 1)).toBe(b);
    }),
  );
});
