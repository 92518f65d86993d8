import * as fc from 'fast-check';
import type { Pairs } from '../../../../lib/cost/constants/constant';
import { DEFAULT_ENVIRONMENT } from '../../../../lib/cost/constants/environment';
import { GRID_MS, LatencyDistribution } from '../../../../lib/cost/latency/latency-distribution';

const { standardGet, standardPut, expressGet } = DEFAULT_ENVIRONMENT.s3;

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

/** A delay of published percentiles, linear between them. */
function draw(percentiles: Pairs, random: () => number): number {
  const percent = random() * 100;
  const above = percentiles.findIndex(([own]) => own >= percent);
  if (above === 0) return percentiles[0][1];
  if (above < 0) return percentiles[percentiles.length - 1][1];
  const [[low, lower], [high, upper]] = [percentiles[above - 1], percentiles[above]];
  return lower + ((upper - lower) * (percent - low)) / (high - low);
}

function simulated(runs: number, one: (random: () => number) => number): (share: number) => number {
  const random = seeded(14);
  const delays = Float64Array.from({ length: runs }, () => one(random)).sort();
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

describe('a distribution of published percentiles', () => {
  it.each([
    ['GET of S3 Standard', standardGet],
    ['PUT of S3 Standard', standardPut],
    ['GET of S3 Express', expressGet],
  ])('returns the percentiles of %s', (_, percentiles) => {
    const distribution = LatencyDistribution.fromPercentiles(percentiles);

    for (const [percent, ms] of percentiles) {
      expect(Math.abs(distribution.quantile(percent / 100) - ms)).toBeLessThanOrEqual(GRID_MS);
    }
  });

  it('is a constant if one percentile was published', () => {
    const distribution = LatencyDistribution.fromPercentiles([[50, 4.8]]);

    expect([distribution.quantile(0.01), distribution.quantile(1), distribution.mean]).toEqual([
      4.8, 4.8, 4.8,
    ]);
  });

  it('has the mean of straight lines between the percentiles', () => {
    const distribution = LatencyDistribution.fromPercentiles([
      [10, 20],
      [90, 60],
    ]);

    // A tenth at 20, eight tenths around 40, and a tenth at 60.
    expect(distribution.mean).toBeCloseTo(40, 9);
  });

  it('has quantiles that rise, and shares that reach 1', () => {
    fc.assert(
      fc.property(tables, fc.double({ min: 0.01, max: 1, noNaN: true }), (table, share) => {
        const distribution = LatencyDistribution.fromPercentiles(table);
        expect(distribution.quantile(share)).toBeGreaterThanOrEqual(distribution.least);
        expect(distribution.shareWithin(distribution.quantile(share))).toBeGreaterThanOrEqual(share - 1e-9);
        expect(distribution.shareWithin(distribution.greatest)).toBeCloseTo(1, 9);
        expect(distribution.shareWithin(distribution.least - 0.5)).toBe(0);
      }),
    );
  });
});

describe('a sum of delays', () => {
  it('adds the means', () => {
    fc.assert(
      fc.property(tables, tables, (one, other) => {
        const [a, b] = [LatencyDistribution.fromPercentiles(one), LatencyDistribution.fromPercentiles(other)];
        expect(a.plus(b).mean).toBeCloseTo(a.mean + b.mean, 6);
        expect(a.shift(12.34).mean).toBeCloseTo(a.mean + 12.34, 6);
      }),
    );
  });

  it('does not depend on the order', () => {
    fc.assert(
      fc.property(tables, tables, (one, other) => {
        const [a, b] = [LatencyDistribution.fromPercentiles(one), LatencyDistribution.fromPercentiles(other)];
        expect(a.plus(b).quantile(0.95)).toBeCloseTo(b.plus(a).quantile(0.95), 9);
      }),
    );
  });

  it('of n equal delays is the n-th power', () => {
    const delay = LatencyDistribution.fromPercentiles(standardGet);
    const added = delay.plus(delay).plus(delay);

    expect(delay.times(3).quantile(0.5)).toBe(added.quantile(0.5));
    expect(delay.times(3).quantile(0.95)).toBe(added.quantile(0.95));
    expect(delay.times(0).quantile(0.95)).toBe(0);
    expect(delay.times(1)).toBe(delay);
    expect(delay.times(3)).toBe(delay.times(3));
  });

  it('has the quantiles of a simulation', () => {
    const sum = LatencyDistribution.fromPercentiles(standardGet)
      .times(8)
      .plus(LatencyDistribution.fromPercentiles(standardPut).times(8));
    const simulation = simulated(100_000, (random) => {
      let ms = 0;
      for (let slice = 0; slice < 8; slice++) ms += draw(standardGet, random) + draw(standardPut, random);
      return ms;
    });

    for (const share of [0.05, 0.5, 0.95]) {
      expect(Math.abs(sum.quantile(share) - simulation(share))).toBeLessThan(2);
    }
  });
});

describe('the longer one of two delays', () => {
  it('has the quantiles of a simulation', () => {
    const longer = LatencyDistribution.fromPercentiles(standardGet).max(
      LatencyDistribution.fromPercentiles(standardPut),
    );
    const simulation = simulated(100_000, (random) =>
      Math.max(draw(standardGet, random), draw(standardPut, random)),
    );

    for (const share of [0.2, 0.5, 0.95]) {
      expect(Math.abs(longer.quantile(share) - simulation(share))).toBeLessThan(2);
    }
  });

  it('is at least each of them', () => {
    fc.assert(
      fc.property(tables, tables, fc.double({ min: 0.05, max: 1, noNaN: true }), (one, other, share) => {
        const [a, b] = [LatencyDistribution.fromPercentiles(one), LatencyDistribution.fromPercentiles(other)];
        const longer = a.max(b);
        expect(longer.mean).toBeGreaterThanOrEqual(Math.max(a.mean, b.mean) - 1e-6);
        expect(longer.quantile(share)).toBeGreaterThanOrEqual(
          Math.max(a.quantile(share), b.quantile(share)) - GRID_MS,
        );
      }),
    );
  });

  it('is the other one if that is always longer', () => {
    const [short, long] = [LatencyDistribution.constant(5), LatencyDistribution.fromPercentiles(standardGet)];

    expect(short.max(long)).toBe(long);
    expect(long.max(short)).toBe(long);
  });
});

describe('a mix of two delays', () => {
  it('has the mean of both by their shares', () => {
    fc.assert(
      fc.property(tables, tables, fc.double({ min: 0, max: 1, noNaN: true }), (one, other, share) => {
        const [a, b] = [LatencyDistribution.fromPercentiles(one), LatencyDistribution.fromPercentiles(other)];
        expect(a.mixedWith(b, share).mean).toBeCloseTo(a.mean * (1 - share) + b.mean * share, 6);
      }),
    );
  });

  it('is one of them if the other never happens', () => {
    const [a, b] = [LatencyDistribution.constant(5), LatencyDistribution.constant(9)];

    expect(a.mixedWith(b, 0)).toBe(a);
    expect(a.mixedWith(b, 1)).toBe(b);
  });
});
