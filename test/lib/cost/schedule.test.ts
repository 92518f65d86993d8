import * as fc from 'fast-check';
import { DEFAULT_ENVIRONMENT } from '../../../lib/cost/constants/environment';
import type { StepCost, Temperature } from '../../../lib/cost/chain';
import { GRID_MS } from '../../../lib/cost/latency/latency-distribution';
import { costModel } from '../../../lib/cost/model';
import {
  type ScheduleLike,
  type ScheduledStep,
  scheduleCost,
  scheduleTotals,
} from '../../../lib/cost/schedule';
import { withWarmUps } from '../../../lib/plan/schedule/warm-up';
import { chainOf, chainTotals } from '../../support/cost-fixtures';

const TEMPERATURES: Temperature[] = ['warm', 'cold', 'mixed'];

function inSeries(slices: number): ScheduleLike {
  return Array.from({ length: slices }, (_, slice) => ({ kind: 'slice', slice }) as const);
}

function stepOf(cost: Partial<StepCost>): ScheduledStep {
  return {
    cost: { warmDollars: 1e-6, coldDollars: 2e-6, warmMs: 100, loadMs: 1000, coldMs: 120, ...cost },
    readsFrom: 's3-express',
    writesTo: 's3-express',
  };
}

describe('a schedule of slices in series', () => {
  it.each([
    ['with warm-ups', true],
    ['without warm-ups', false],
  ])('costs and takes what the chain does, %s', (_, warmUp) => {
    const model = costModel({ warmUp, requestsPerHour: 3 });
    const steps = chainOf(5).map(({ demand, choice }) => ({ cost: model.step(demand, choice), ...choice }));
    const series = inSeries(5);
    const schedule = warmUp ? withWarmUps(series) : series;
    const totals = chainTotals(steps, warmUp);

    for (const temperature of TEMPERATURES) {
      const [own, chain] = [
        scheduleCost(model, schedule, steps, temperature),
        model.run(totals, temperature),
      ];
      expect(own.dollars).toBeCloseTo(chain.dollars, 12);
      expect(Math.abs(own.latency.p50 - chain.latency.p50)).toBeLessThan(GRID_MS + 1e-6);
      expect(Math.abs(own.latency.p95 - chain.latency.p95)).toBeLessThan(GRID_MS + 1e-6);
    }
  });

  it('waits for the slowest warm-up before the second slice, because its state has all of them', () => {
    const model = costModel();
    const steps = [stepOf({}), stepOf({}), stepOf({ loadMs: 5000 })];
    const schedule: ScheduleLike = [
      {
        kind: 'parallel',
        branches: [
          [{ kind: 'slice', slice: 0 }],
          [{ kind: 'warm-up', slice: 1 }],
          [{ kind: 'warm-up', slice: 2 }],
        ],
      },
      { kind: 'slice', slice: 1 },
      { kind: 'slice', slice: 2 },
    ];
    const { p50 } = scheduleCost(model, schedule, steps, 'cold').latency;

    expect(p50).toBeGreaterThan(5000 + 2 * 120);
    expect(chainTotals(steps, true).coldMs).toBe(5000 + 2 * 120);
  });

  it('enters a state for each warm-up, inside of the state that has all of them', () => {
    const none = [[50, 0]] as const;
    const { s3, stepFunctions } = DEFAULT_ENVIRONMENT;
    const model = costModel({
      result: 'inline',
      environment: {
        ...DEFAULT_ENVIRONMENT,
        s3: { ...s3, standardGet: none, standardPut: none, expressGet: none, expressPut: none },
        stepFunctions: { ...stepFunctions, express: [[50, 100]] },
      },
    });
    const steps = [stepOf({}), stepOf({ loadMs: 5000 })];
    const { p50 } = scheduleCost(model, withWarmUps(inSeries(2)), steps, 'cold').latency;

    expect(p50).toBeCloseTo(100 + (100 + 5000) + (100 + 120), 6);
  });

  it('costs and takes what the totals of the chain say, for random chains', () => {
    const ms = fc.double({ min: 0, max: 3000, noNaN: true });
    const step = fc.record({ warmMs: ms, loadMs: ms, moreMs: ms });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), fc.boolean(), (random, warmUp) => {
        const model = costModel({ warmUp, requestsPerHour: 3 });
        const last = random.length - 1;
        const steps = random.map(({ warmMs, loadMs, moreMs }, slice): ScheduledStep => ({
          ...stepOf({ warmMs, loadMs, coldMs: warmMs + moreMs }),
          readsFrom: slice === 0 ? 'request' : 's3-express',
          writesTo: slice === last ? 's3-standard' : 's3-express',
        }));
        const series = inSeries(steps.length);
        const schedule = warmUp ? withWarmUps(series) : series;
        const totals = chainTotals(steps, warmUp);
        const cold = scheduleCost(model, schedule, steps, 'cold');

        expect(scheduleTotals(schedule, steps).writes).toEqual(totals.writes);
        expect(scheduleTotals(schedule, steps).coldMs).toBeCloseTo(totals.coldMs, 6);
        expect(scheduleTotals(schedule, steps).warmMs).toBeCloseTo(totals.warmMs, 6);
        const warm = scheduleCost(model, schedule, steps, 'warm');
        expect(Math.abs(warm.latency.p95 - model.run(totals, 'warm').latency.p95)).toBeLessThan(ROUNDING);
        // The delays of slice 0 pass while a longer load goes on. Totals count them all the same.
        const hidden = totals.coldMs - (coldEndOfFirst(steps[0]) + sumOfLater(steps));
        const tooMuch = model.run(totals, 'cold').latency.p95 - cold.latency.p95;
        if (!warmUp || hidden <= 0) expect(Math.abs(tooMuch)).toBeLessThan(ROUNDING);
        else {
          expect(tooMuch).toBeGreaterThan(-ROUNDING);
          expect(tooMuch).toBeLessThan(Math.min(hidden, MOST_DELAYS_OF_A_SLICE) + ROUNDING);
        }
      }),
      { numRuns: 50 },
    );
  });
});

/** All delays of a slice at their p100. */
const MOST_DELAYS_OF_A_SLICE = 3000;
const ROUNDING = 2 * GRID_MS + 1e-6;

function coldEndOfFirst({ cost }: ScheduledStep): number {
  return cost.loadMs + cost.coldMs;
}

function sumOfLater(steps: readonly ScheduledStep[]): number {
  return steps.slice(1).reduce((sum, { cost }) => sum + cost.coldMs, 0);
}

describe('a schedule with branches', () => {
  const model = costModel({ warmUp: false });
  const branches: ScheduleLike = [
    { kind: 'slice', slice: 0 },
    {
      kind: 'parallel',
      branches: [[{ kind: 'slice', slice: 1 }], [{ kind: 'slice', slice: 2 }]],
    },
    { kind: 'slice', slice: 3 },
  ];

  it('takes as long as its longest branch, and random delays of both', () => {
    const steps = [stepOf({}), stepOf({ warmMs: 1000 }), stepOf({ warmMs: 200 }), stepOf({})];
    const alone: ScheduleLike = [
      { kind: 'slice', slice: 0 },
      { kind: 'parallel', branches: [[{ kind: 'slice', slice: 1 }]] },
      { kind: 'slice', slice: 3 },
    ];
    const both = scheduleCost(model, branches, steps, 'warm');

    // The short branch never ends last.
    expect(both.latency).toEqual(scheduleCost(model, alone, steps, 'warm').latency);
    // Four slices and one Express execution.
    expect(both.dollars).toBeGreaterThan(5e-6);
    expect(both.dollars).toBeLessThan(8e-6);
  });

  it('takes longer with two equal branches than with one of them, since the slower one decides', () => {
    const steps = [0, 1, 2, 3].map(() => stepOf({}));
    const one: ScheduleLike = [
      { kind: 'slice', slice: 0 },
      { kind: 'parallel', branches: [[{ kind: 'slice', slice: 1 }]] },
      { kind: 'slice', slice: 3 },
    ];

    expect(scheduleCost(model, branches, steps, 'warm').latency.p50).toBeGreaterThan(
      scheduleCost(model, one, steps, 'warm').latency.p50,
    );
  });

  it('is faster than the same slices in series', () => {
    const steps = [0, 1, 2, 3].map(() => stepOf({}));

    for (const temperature of TEMPERATURES) {
      const parallel = scheduleCost(model, branches, steps, temperature).latency;
      const series = scheduleCost(model, inSeries(4), steps, temperature).latency;
      expect(parallel.p50).toBeLessThan(series.p50);
      expect(parallel.p95).toBeLessThan(series.p95);
    }
  });

  it('costs a transition more for its Parallel state in a Standard machine', () => {
    const standard = costModel({ warmUp: false, stateMachineType: 'standard' });
    const steps = [0, 1, 2, 3].map(() => stepOf({}));
    const difference =
      scheduleCost(standard, branches, steps, 'warm').dollars -
      scheduleCost(standard, inSeries(4), steps, 'warm').dollars;

    expect(difference).toBeCloseTo(25e-6, 12);
  });
});
