import * as fc from 'fast-check';
import type { InState, StepCost, Temperature } from '../../../lib/cost/chain';
import { GRID_MS } from '../../../lib/cost/latency/latency-distribution';
import { type DetailedCostModel, costModel } from '../../../lib/cost/model';
import { type Schedule, type ScheduledStep, costOf, scheduleOutcomes } from '../../../lib/cost/schedule';
import { withWarmUps } from '../../../lib/plan/schedule/schedule';
import { chainTotals, inSeries, steadyEnvironment } from '../../support/cost-fixtures';

/** All delays of a slice at their p100. */
const MOST_DELAYS_OF_A_SLICE = 3000;
const ROUNDING = 2 * GRID_MS + 1e-6;

function stepOf(cost: Partial<StepCost>, places: Partial<ScheduledStep> = {}): ScheduledStep {
  return {
    cost: { warmDollars: 1e-6, coldDollars: 2e-6, warmMs: 100, loadMs: 1000, coldMs: 120, ...cost },
    ...{ readsFrom: 's3-express', writesTo: 's3-express', ...places },
  };
}

const scheduleCost = (
  model: DetailedCostModel,
  schedule: Schedule,
  steps: ScheduledStep[],
  temperature: Temperature,
) => costOf(scheduleOutcomes(model, schedule, steps), model.coldShare, temperature);

const fourSteps = (): ScheduledStep[] => [0, 1, 2, 3].map(() => stepOf({}));

/** Slices 0 and 3 in series, and these branches between them. */
function withBranches(...slices: readonly number[]): Schedule {
  return [
    { kind: 'slice', slice: 0 },
    { kind: 'parallel', branches: slices.map((slice) => [{ kind: 'slice', slice }]) },
    { kind: 'slice', slice: 3 },
  ];
}

describe('a schedule of slices in series', () => {
  it('waits for a write and a read less for each slice that answers its tensors', () => {
    const environment = steadyEnvironment(20, 30, 15);
    const model = costModel({ request: 'inline', result: 'inline', warmUp: false, environment });
    const p50 = (first?: Partial<InState>, second?: Partial<InState>): number => {
      const none = { isAnswered: false, gets: 0, readsAll: false, readBytes: 0, characters: 9 };
      const inState = (own?: Partial<InState>): Partial<ScheduledStep> =>
        own === undefined ? {} : { inState: { ...none, ...own } };
      const steps = [
        stepOf({}, { readsFrom: 'request', writesTo: 's3-standard', ...inState(first) }),
        stepOf({}, { readsFrom: 's3-standard', writesTo: 's3-standard', ...inState(second) }),
      ];
      return scheduleCost(model, inSeries(2), steps, 'warm').latency.p50;
    };
    expect(p50()).toBeCloseTo(2 * 100 + 2 * 15 + 2 * 30 + 20, 9);
    expect(p50({ isAnswered: true }, { readsAll: true })).toBeCloseTo(2 * 100 + 2 * 15 + 30, 9);
  });

  it('costs and takes what the totals of the chain say, for random chains', () => {
    const ms = fc.double({ min: 0, max: 3000, noNaN: true });
    const step = fc.record({ warmMs: ms, loadMs: ms, moreMs: ms });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), fc.boolean(), (random, warmUp) => {
        const model = costModel({ warmUp, requestsPerHour: 3 });
        const last = random.length - 1;
        const steps = random.map(({ warmMs, loadMs, moreMs }, slice) =>
          stepOf(
            { warmMs, loadMs, coldMs: warmMs + moreMs },
            {
              readsFrom: slice === 0 ? 'request' : 's3-express',
              writesTo: slice === last ? 's3-standard' : 's3-express',
            },
          ),
        );
        const schedule = warmUp ? withWarmUps(inSeries(steps.length)) : inSeries(steps.length);
        const totals = chainTotals(steps, warmUp);

        const p95 = (temperature: Temperature): number =>
          scheduleCost(model, schedule, steps, temperature).latency.p95;
        const warm = model.run(totals, 'warm');
        expect(scheduleCost(model, schedule, steps, 'warm').dollars).toBeCloseTo(warm.dollars, 9);
        expect(Math.abs(p95('warm') - warm.latency.p95)).toBeLessThan(ROUNDING);
        // The delays of slice 0 pass while a longer load goes on. Totals count them all the same.
        const later = steps.slice(1).reduce((sum, { cost }) => sum + cost.coldMs, 0);
        const hidden = totals.coldMs - (steps[0].cost.loadMs + steps[0].cost.coldMs + later);
        const tooMuch = model.run(totals, 'cold').latency.p95 - p95('cold');
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

const model = costModel({ warmUp: false });
const both = withBranches(1, 2);

it('a schedule with branches takes as long as its longest branch, and random delays of both', () => {
  const steps = [stepOf({}), stepOf({ warmMs: 1000 }), stepOf({ warmMs: 200 }), stepOf({})];
  const cost = scheduleCost(model, both, steps, 'warm');
  // The short branch never ends last.
  expect(cost.latency).toEqual(scheduleCost(model, withBranches(1), steps, 'warm').latency);
  // Four slices and one Express execution.
  expect(cost.dollars).toBeGreaterThan(5e-6);
  expect(cost.dollars).toBeLessThan(8e-6);
});

it('a schedule with branches costs a transition more for its Parallel state in a Standard machine', () => {
  const standard = costModel({ warmUp: false, stateMachineType: 'standard' });
  const dollars = (schedule: Schedule): number =>
    scheduleCost(standard, schedule, fourSteps(), 'warm').dollars;
  expect(dollars(both) - dollars(inSeries(4))).toBeCloseTo(25e-6, 12);
});
