import * as fc from 'fast-check';
import type { Pairs } from '../../../lib/cost/constants/constant';
import { DEFAULT_ENVIRONMENT } from '../../../lib/cost/constants/defaults';
import { GRID_MS, LatencyDistribution, atPercent } from '../../../lib/cost/latency/latency-distribution';

const { standardGet, standardPut } = DEFAULT_ENVIRONMENT.s3;
const [GET, PUT] = [standardGet, standardPut].map((pairs) => LatencyDistribution.fromPercentiles(pairs));

/** A generator of numbers from 0 to 1 (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The quantiles of delays that are drawn by published percentiles, linear between them. */
function simulated(one: (draw: (percentiles: Pairs) => number) => number): (share: number) => number {
  const random = seeded(14);
  const runs = 100_000;
  const delays = Float64Array.from({ length: runs }, () => one((pairs) => atPercent(pairs, random() * 100)));
  delays.sort();
  return (share) => delays[Math.ceil(share * runs) - 1];
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

describe('a sum of delays', () => {
  it('has the quantiles of a simulation', () => {
    const sum = GET.times(8).plus(PUT.times(8));
    const simulation = simulated((draw) => {
      let ms = 0;
      for (let slice = 0; slice < 8; slice++) ms += draw(standardGet) + draw(standardPut);
      return ms;
    });
    for (const share of [0.05, 0.5, 0.95])
      expect(Math.abs(sum.quantile(share) - simulation(share))).toBeLessThan(2);
  });
});

describe('the longer one of two delays', () => {
  it('has the quantiles of a simulation', () => {
    const simulation = simulated((draw) => Math.max(draw(standardGet), draw(standardPut)));
    for (const share of [0.2, 0.5, 0.95])
      expect(Math.abs(GET.max(PUT).quantile(share) - simulation(share))).toBeLessThan(2);
  });

  it('is at least each of them, and the other one if that is always longer', () => {
    fc.assert(
      fc.property(distributions, distributions, shares, (a, b, share) => {
        const longer = a.max(b);
        expect(longer.mean).toBeGreaterThanOrEqual(Math.max(a.mean, b.mean) - 1e-6);
        const least = Math.max(a.quantile(share), b.quantile(share)) - GRID_MS;
        expect(longer.quantile(Math.max(share, 0.05))).toBeGreaterThanOrEqual(least);
      }),
    );
    const short = LatencyDistribution.constant(5);
    expect([short.max(GET), GET.max(short)]).toEqual([GET, GET]);
  });
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
