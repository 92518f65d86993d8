import * as fc from 'fast-check';
import type { InState, StepCost, Temperature, Transport } from '../../../lib/cost/chain';
import { executionDollars } from '../../../lib/cost/formulas/step-functions';
import { type LatencyDistribution, GRID_MS } from '../../../lib/cost/latency/latency-distribution';
import { type DetailedCostModel, costModel } from '../../../lib/cost/model';
import type { CostOptions } from '../../../lib/cost/options';
import { type Schedule, type ScheduledStep, costOf, scheduleOutcomes } from '../../../lib/cost/schedule';
import { withWarmUps } from '../../../lib/plan/schedule/schedule';
import { sumOf } from '../../../lib/extremes';
import { inSeries, steadyEnvironment } from '../../support/cost-fixtures';

/** All delays of a slice at their p100. */
const MOST_DELAYS_OF_A_SLICE = 3000;
const ROUNDING = 2 * GRID_MS + 1e-6;

function stepOf(cost: Partial<StepCost>, places: Partial<ScheduledStep> = {}): ScheduledStep {
  return {
    cost: { warmDollars: 1e-6, coldDollars: 2e-6, warmMs: 100, loadMs: 1000, coldMs: 120, ...cost },
    ...{ readsFrom: 's3-express', writesTo: 's3-express', ...places },
  };
}

/** Of a chain whose slices write to S3 Express and the last one to S3 Standard: each waits for a transition, a write and a read. */
function delaysOf({ transition, stores, warmsUp }: DetailedCostModel, slices: number): LatencyDistribution {
  const [between, ends] = [stores['s3-express'], stores['s3-standard']];
  const parallel = warmsUp && slices > 1 ? 1 : 0;
  return transition
    .times(slices + parallel)
    .plus(between.put.times(slices - 1))
    .plus(between.get.times(slices - 1))
    .plus(ends.put)
    .plus(ends.get.times(2));
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

  it.each<[result: CostOptions['result'], writesTo: Transport, gets: number]>([
    ['inline', 's3-standard', 2],
    ['inline', 's3-express', 2],
    ['s3', 's3-express', 3],
  ])('waits as often as it must: with a result that is %s, through %s', (result, writesTo, gets) => {
    const environment = steadyEnvironment(20, 30, 15);
    const model = costModel({ request: 'inline', result, warmUp: true, environment });
    const steps = [0, 1, 2].map((slice) =>
      stepOf({}, { readsFrom: slice === 0 ? 'request' : writesTo, writesTo }),
    );
    const { p50, p95 } = scheduleCost(model, withWarmUps(inSeries(3)), steps, 'warm').latency;
    const ms = 3 * 100 + 4 * 15 + 3 * 30 + gets * 20;
    expect([p50, p95]).toEqual([expect.closeTo(ms, 9), expect.closeTo(ms, 9)]);
  });

  it('costs and takes what its steps and the delays of all slices add up to, for random chains', () => {
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
        const delays = delaysOf(model, steps.length);
        const costs = steps.map(({ cost }) => cost);
        const sum = (of: (cost: StepCost) => number): number => sumOf(costs.map(of));
        const actual = (temperature: Temperature) => scheduleCost(model, schedule, steps, temperature);

        const warm = delays.shift(sum(({ warmMs }) => warmMs));
        const machine = executionDollars(
          'express',
          { slices: steps.length, warmUps: 0, parallels: 0 },
          warm.mean,
          model.options.prices,
          model.options.environment,
        );
        expect(actual('warm').dollars).toBeCloseTo(sum(({ warmDollars }) => warmDollars) + machine, 9);
        expect(Math.abs(actual('warm').latency.p95 - warm.quantile(0.95))).toBeLessThan(ROUNDING);

        const ofSteps = sum(({ loadMs, coldMs }) => loadMs + coldMs);
        const first = costs[0].loadMs + costs[0].coldMs;
        const longest = Math.max(first, ...costs.map(({ loadMs }) => loadMs));
        const coldMs = warmUp ? longest - costs[0].coldMs + sum((cost) => cost.coldMs) : ofSteps;
        const tooMuch = delays.shift(coldMs).quantile(0.95) - actual('cold').latency.p95;
        // The delays of slice 0 pass while a longer load goes on. Here they count all the same.
        const hidden = warmUp ? longest - first : 0;
        expect(tooMuch).toBeGreaterThan(-ROUNDING);
        expect(tooMuch).toBeLessThan(Math.min(hidden, MOST_DELAYS_OF_A_SLICE) + ROUNDING);
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
