import { chainTotals } from '../../../lib/cost/chain';
import type { StepCost, Temperature } from '../../../lib/cost/cost-model';
import { GRID_MS } from '../../../lib/cost/latency/latency-distribution';
import { costModel } from '../../../lib/cost/model';
import type { ScheduleLike, ScheduledStep } from '../../../lib/cost/schedule-cost';
import { scheduleCost } from '../../../lib/cost/schedule-cost';
import { withWarmUps } from '../../../lib/plan/schedule/warm-up';
import { chainOf } from '../../support/cost-fixtures';

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
    // The chain's totals let slice 1 run while slice 2 still loads.
    expect(p50).toBeGreaterThan(model.run(chainTotals(steps, true), 'cold').latency.p50);
  });
});

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
