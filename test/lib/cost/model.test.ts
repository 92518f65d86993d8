import * as fc from 'fast-check';
import { DEFAULT_ENVIRONMENT } from '../../../lib/cost/constants/environment';
import type { ChainTotals, RunCost, Temperature } from '../../../lib/cost/chain';
import { LINE_ITEMS, sumOfItems } from '../../../lib/cost/line-items';
import { type DetailedCostModel, costModel } from '../../../lib/cost/model';
import { type ChosenSlice, CHOICE, DEMAND, chainOf, chainTotals, itemsOfChain } from '../../support/cost-fixtures';

const TEMPERATURES: Temperature[] = ['warm', 'cold', 'mixed'];

const options = fc.record({
  stateMachineType: fc.constantFrom('express' as const, 'standard' as const),
  architecture: fc.constantFrom('x86_64' as const, 'arm64' as const),
  warmUp: fc.boolean(),
  requestsPerHour: fc.integer({ min: 0, max: 100 }),
  networkInVpc: fc.boolean(),
  request: fc.constantFrom('inline' as const, 's3' as const),
  result: fc.constantFrom('inline' as const, 's3' as const),
});

const totals: fc.Arbitrary<ChainTotals> = fc
  .tuple(
    fc.nat(6),
    fc.nat(6),
    fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 4, maxLength: 4 }),
  )
  .map(([standard, express, [warmMs, moreMs, warmDollars, moreDollars]]) => ({
    writes: { 's3-standard': standard, 's3-express': express },
    warmMs,
    coldMs: warmMs + moreMs,
    warmDollars: warmDollars / 1e9,
    coldDollars: (warmDollars + moreDollars) / 1e9,
  }));

function totalsOf(model: DetailedCostModel, slices: readonly ChosenSlice[]): ChainTotals {
  return chainTotals(
    slices.map(({ demand, choice }) => ({ cost: model.step(demand, choice), writesTo: choice.writesTo })),
    model.warmsUp,
  );
}

function isNoWorse(one: RunCost, other: RunCost): boolean {
  // Mixed quantiles are found to a microsecond.
  return (
    one.dollars <= other.dollars + 1e-15 &&
    one.latency.p50 <= other.latency.p50 + 2e-3 &&
    one.latency.p95 <= other.latency.p95 + 2e-3
  );
}

describe('the items of a run', () => {
  it('add up to its dollars', () => {
    fc.assert(
      fc.property(
        options,
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(...TEMPERATURES),
        (given, n, temperature) => {
          const model = costModel(given);
          const slices = chainOf(n, {}, { writesTo: 's3-express' });
          const { dollars } = model.run(totalsOf(model, slices), temperature);
          expect(sumOfItems(itemsOfChain(model, slices, temperature))).toBeCloseTo(dollars, 14);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('are each above zero for a run that uses everything', () => {
    const model = costModel();
    const items = itemsOfChain(model, chainOf(2, { fileBytes: 1e9 }, { writesTo: 's3-express' }), 'cold');

    for (const item of LINE_ITEMS) expect([item, items[item] > 0]).toEqual([item, true]);
  });

  it('include the prices of requests as AWS lists them', () => {
    const items = itemsOfChain(costModel({ request: 'inline' }), chainOf(4), 'warm');

    expect(items.s3Puts * 1e6).toBeCloseTo(20, 9);
    // Three slices read; three are warmed up.
    expect(items.s3Gets * 1e6).toBeCloseTo(1.2, 9);
    expect(items.lambdaRequests * 1e6).toBeCloseTo(7 * 0.2, 9);
  });
});

describe('a step', () => {
  const model = costModel();

  it('is no slower and no cheaper to load than a warm one', () => {
    const { warmMs, coldMs, warmDollars, coldDollars, loadMs } = model.step(DEMAND, CHOICE);

    expect(coldMs).toBeGreaterThan(warmMs);
    expect(coldDollars).toBeGreaterThan(warmDollars);
    expect(loadMs).toBeGreaterThan(0);
  });

  it('grows with each demand', () => {
    for (const [field, more] of [
      ['fileBytes', 400e6],
      ['coreSeconds', 1],
      ['readTensors', 9],
      ['readBytes', 9e6],
      ['writeBytes', 9e6],
    ] as const) {
      const [small, large] = [model.step(DEMAND, CHOICE), model.step({ ...DEMAND, [field]: more }, CHOICE)];
      expect([field, large.coldDollars > small.coldDollars]).toEqual([field, true]);
      expect([field, large.coldMs + large.loadMs > small.coldMs + small.loadMs]).toEqual([field, true]);
      expect([field, large.warmMs >= small.warmMs]).toEqual([field, true]);
    }
  });

  it('is faster with more memory', () => {
    const small = model.step(DEMAND, { ...CHOICE, memoryMb: 512 });
    const large = model.step(DEMAND, { ...CHOICE, memoryMb: 1024 });

    expect(large.warmMs).toBeLessThan(small.warmMs);
    expect(large.loadMs).toBeLessThan(small.loadMs);
  });

  it('is faster through S3 Express, which charges for bytes', () => {
    const express = model.step(DEMAND, { ...CHOICE, readsFrom: 's3-express', writesTo: 's3-express' });

    expect(express.warmItems.s3Puts).toBeLessThan(model.step(DEMAND, CHOICE).warmItems.s3Puts);
    expect(express.warmItems.s3Bytes).toBeCloseTo((524_288 * 0.0032 + 524_288 * 0.0006) / 2 ** 30, 15);
  });

  it('costs four fifths of the duration on arm64', () => {
    const arm = costModel({ architecture: 'arm64' }).step(DEMAND, CHOICE);

    expect(arm.warmItems.lambdaCompute / model.step(DEMAND, CHOICE).warmItems.lambdaCompute).toBeCloseTo(
      0.8,
      5,
    );
  });

  it('reads nothing from S3 if the request is inline', () => {
    const first = costModel({ request: 'inline' }).step(DEMAND, { ...CHOICE, readsFrom: 'request' });

    expect(first.warmItems.s3Gets).toBe(0);
    expect(model.step(DEMAND, { ...CHOICE, readsFrom: 'request' }).warmItems.s3Gets).toBeCloseTo(4e-7, 15);
  });
});

describe('a run', () => {
  it('is monotone in each of the four totals', () => {
    const more = fc.record({
      standard: fc.nat(3),
      express: fc.nat(3),
      ms: fc.double({ min: 0, max: 100, noNaN: true }),
      coldMs: fc.double({ min: 0, max: 100, noNaN: true }),
      dollars: fc.double({ min: 0, max: 1e-6, noNaN: true }),
    });
    fc.assert(
      fc.property(
        options,
        totals,
        more,
        fc.constantFrom(...TEMPERATURES),
        (given, small, added, temperature) => {
          const model = costModel(given);
          const large: ChainTotals = {
            writes: {
              's3-standard': small.writes['s3-standard'] + added.standard,
              's3-express': small.writes['s3-express'] + added.express,
            },
            warmMs: small.warmMs + added.ms,
            coldMs: small.coldMs + added.coldMs,
            warmDollars: small.warmDollars + added.dollars,
            coldDollars: small.coldDollars + added.dollars,
          };
          expect(isNoWorse(model.run(small, temperature), model.run(large, temperature))).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('of a mix lies between a warm and a cold one', () => {
    fc.assert(
      fc.property(options, totals, (given, own) => {
        const model = costModel(given);
        const [warm, cold, mixed] = TEMPERATURES.map((temperature) => model.run(own, temperature));
        expect(isNoWorse(warm, mixed) && isNoWorse(mixed, cold)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('of a mix has the quantiles of the mixed distribution', () => {
    const model = costModel({ requestsPerHour: 5 });
    const [warmMs, coldMs] = [100, 130];
    const own = {
      writes: { 's3-standard': 3, 's3-express': 0 },
      warmMs,
      coldMs,
      warmDollars: 0,
      coldDollars: 0,
    };
    const { stores, transition, coldShare } = model;
    const standard = stores['s3-standard'];
    const random = transition.times(4).plus(standard.get.times(4)).plus(standard.put.times(3));
    const mixed = random.shift(warmMs).mixedWith(random.shift(coldMs), coldShare);

    expect(Math.abs(model.run(own, 'mixed').latency.p50 - mixed.quantile(0.5))).toBeLessThan(1.01);
    expect(Math.abs(model.run(own, 'mixed').latency.p95 - mixed.quantile(0.95))).toBeLessThan(1.01);
  });

  it('waits for the slowest load with warm-ups, and for every load without', () => {
    const [warmUp, none] = [costModel({ warmUp: true }), costModel({ warmUp: false })];
    const cold = (model: DetailedCostModel) => totalsOf(model, chainOf(8)).coldMs;
    const { loadMs } = none.step(DEMAND, CHOICE);

    expect(cold(none) - cold(warmUp)).toBeCloseTo(7 * loadMs, 6);
  });

  it('loads a slice without a warm-up while the call waits for its tensors', () => {
    const [warmUp, none] = [costModel({ warmUp: true }), costModel({ warmUp: false })].map((model) =>
      model.step(DEMAND, CHOICE),
    );
    const { standardFirstGetMs } = DEFAULT_ENVIRONMENT.s3;

    expect(warmUp.loadMs - none.loadMs).toBeCloseTo(standardFirstGetMs, 6);
    expect(none.coldMs).toBe(warmUp.coldMs);
    expect(none.coldDollars).toBeLessThan(warmUp.coldDollars);
  });

  it('takes no random delay without slices', () => {
    const none = {
      writes: { 's3-standard': 0, 's3-express': 0 },
      warmMs: 7,
      coldMs: 9,
      warmDollars: 0,
      coldDollars: 0,
    };

    expect(costModel().run(none, 'warm').latency).toEqual({ p50: 7, p95: 7 });
  });

  it('has the same figures each time', () => {
    const figures = () => {
      const model = costModel({ stateMachineType: 'standard' });
      return model.run(totalsOf(model, chainOf(5)), 'cold');
    };

    expect(figures()).toEqual(figures());
  });

  it('is exact without random delays', () => {
    const fixed = (ms: number): readonly [readonly [number, number]] => [[50, ms]];
    const model = costModel({
      request: 'inline',
      result: 'inline',
      environment: {
        ...DEFAULT_ENVIRONMENT,
        s3: { ...DEFAULT_ENVIRONMENT.s3, standardGet: fixed(20), standardPut: fixed(30) },
        stepFunctions: { ...DEFAULT_ENVIRONMENT.stepFunctions, express: fixed(15) },
      },
    });
    const own = totalsOf(model, chainOf(3));
    const ms = own.warmMs + 4 * 15 + 3 * 30 + 2 * 20;

    expect(model.run(own, 'warm').latency.p50).toBeCloseTo(ms, 9);
    expect(model.run(own, 'warm').latency.p95).toBeCloseTo(ms, 9);
  });
});

describe('whether a run is within a time', () => {
  const quantiles = fc.constantFrom('p50' as const, 'p95' as const);

  it('agrees with the quantile of its latency, to the two microseconds of a mixed one', () => {
    fc.assert(
      fc.property(
        options,
        totals,
        fc.constantFrom(...TEMPERATURES),
        quantiles,
        (given, own, temperature, quantile) => {
          const model = costModel(given);
          const ms = model.latencyMs(own, temperature, quantile);
          expect(model.isWithin(own, temperature, quantile, ms + 2e-3)).toBe(true);
          expect(model.isWithin(own, temperature, quantile, ms - 2e-3)).toBe(false);
        },
      ),
      { numRuns: 100 },
    );
  });

  describe('if one run in ten is cold', () => {
    const fixed = (ms: number): readonly [readonly [number, number]] => [[50, ms]];
    const { s3, stepFunctions } = DEFAULT_ENVIRONMENT;
    const environment = {
      ...DEFAULT_ENVIRONMENT,
      s3: { ...s3, standardGet: fixed(20), standardPut: fixed(30) },
      stepFunctions: { ...stepFunctions, express: fixed(15) },
    };
    const mixed = Object.assign(costModel({ request: 'inline', result: 'inline', environment }), {
      coldShare: 0.1,
    });
    // A transition and a write take 45 ms, on a grid of 2 ms.
    const own = { ...totalsOf(mixed, chainOf(1)), warmMs: 100, coldMs: 900 };

    test.each([
      ['p50', 142, false],
      ['p50', 145, true],
      ['p95', 145, false],
      ['p95', 942, false],
      ['p95', 945, true],
    ] as const)('%s is within %i ms: %s', (quantile, ms, expected) => {
      expect(mixed.isWithin(own, 'mixed', quantile, ms)).toBe(expected);
    });
  });
});

describe('a run through S3 Express alone', () => {
  it('adds a read for each slice but the last, whose result the caller has', () => {
    const fixed = (ms: number): readonly [readonly [number, number]] => [[50, ms]];
    const environment = {
      ...DEFAULT_ENVIRONMENT,
      s3: { ...DEFAULT_ENVIRONMENT.s3, expressGet: fixed(5), expressPut: fixed(7) },
      stepFunctions: { ...DEFAULT_ENVIRONMENT.stepFunctions, express: fixed(15) },
    };
    const own = {
      writes: { 's3-standard': 0, 's3-express': 3 },
      warmMs: 0,
      coldMs: 0,
      warmDollars: 0,
      coldDollars: 0,
    };
    const p50 = (result: 'inline' | 's3') =>
      costModel({ request: 'inline', result, environment }).run(own, 'warm').latency.p50;

    expect(p50('inline')).toBeCloseTo(4 * 15 + 3 * 7 + 2 * 5, 9);
    expect(p50('s3')).toBeCloseTo(4 * 15 + 3 * 7 + 3 * 5, 9);
  });
});

describe('a run of one slice', () => {
  it('has no warm-ups: a Standard machine charges the slice, the start and the end', () => {
    const items = itemsOfChain(costModel({ stateMachineType: 'standard', warmUp: true }), chainOf(1), 'warm');

    expect(items.stepFunctions).toBeCloseTo(3 * 25e-6, 12);
    expect(items.lambdaRequests).toBeCloseTo(0.2e-6, 12);
  });
});

describe('the first request of a call', () => {
  const later = (extra: Partial<typeof DEFAULT_ENVIRONMENT.s3>, readsFrom: 's3-standard' | 'request') => {
    const step = (s3: typeof DEFAULT_ENVIRONMENT.s3) =>
      costModel({ request: 'inline', environment: { ...DEFAULT_ENVIRONMENT, s3 } }).step(DEMAND, {
        ...CHOICE,
        readsFrom,
      });
    return step({ ...DEFAULT_ENVIRONMENT.s3, ...extra }).warmMs - step(DEFAULT_ENVIRONMENT.s3).warmMs;
  };

  it('opens a connection: the read, or the write if nothing is read', () => {
    expect(later({ standardFirstGetMs: 78 }, 's3-standard')).toBeCloseTo(10, 9);
    expect(later({ standardFirstPutMs: 95 }, 's3-standard')).toBeCloseTo(0, 9);
    expect(later({ standardFirstGetMs: 78 }, 'request')).toBeCloseTo(0, 9);
    expect(later({ standardFirstPutMs: 95 }, 'request')).toBeCloseTo(10, 9);
  });
});

describe('a cold run of a model of 1.3 GB in eight slices', () => {
  const model = costModel();
  const slices = model.run(totalsOf(model, chainOf(8)), 'cold').latency.p50;
  const whole = model.run(totalsOf(model, chainOf(1, { fileBytes: 1.3e9, coreSeconds: 1.08 })), 'cold')
    .latency.p50;

  it('is at least three times as fast as one slice, since each slice loads within the burst', () => {
    expect(whole / slices).toBeGreaterThan(3);
  });
});

it('finds the quantiles of a mix of times that are too long to tell milliseconds apart', () => {
  const model = costModel({ requestsPerHour: 10 });
  const totals = {
    writes: { 's3-standard': 1, 's3-express': 0 },
    warmMs: 1e18,
    coldMs: 3e18,
    warmDollars: 1,
    coldDollars: 2,
  };
  const { p50, p95 } = model.run(totals, 'mixed').latency;
  expect([p50 / 1e18, p95 / 1e18]).toEqual([expect.closeTo(1), expect.closeTo(3)]);
});
