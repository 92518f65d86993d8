import * as fc from 'fast-check';
import {
  type BatchedPlan,
  type BatchShape,
  type BatchTimes,
  batchEstimate,
  plannedBatch,
} from '../../../lib/cost/batch';
import { batchBill } from '../../../lib/cost/batch-bill';
import { DEFAULT_ENVIRONMENT, DEFAULT_PRICES } from '../../../lib/cost/constants/defaults';
import { costModel } from '../../../lib/cost/model';
import { scheduleOutcomes } from '../../../lib/cost/schedule';
import { chainOf, inSeries, steadyEnvironment, stepsOf } from '../../support/cost-fixtures';

/** Gives each child to the lane that is free first. */
function simulated({ items, itemsPerRun, concurrency, ...times }: BatchShape & BatchTimes): number {
  const children = Math.ceil(items / itemsPerRun);
  const count = Math.min(concurrency, children);
  const lanes = Array.from({ length: count }, (_, lane) => 1000 * Math.floor(lane / 100));
  const ends = Array.from({ length: children }, (_, child) => {
    const own = child === children - 1 ? items - child * itemsPerRun : itemsPerRun;
    const lane = child < lanes.length ? child : lanes.indexOf(Math.min(...lanes));
    lanes[lane] += times.childMs + own * times.itemMs + (child < lanes.length ? times.coldMs : 0);
    return lanes[lane];
  });
  return times.tableMs + Math.max(children, ...ends);
}

test('AWS starts no more than a thousand children in a second', () => {
  const shape = { items: 1e7, itemsPerRun: 1, concurrency: 10_000 };
  const times = { childMs: 100, itemMs: 50, coldMs: 1000, tableMs: 7 };
  expect(batchEstimate({ ...shape, ...times }).milliseconds).toBe(1e7 + 7);
});

test('the time of a batch is that of lanes which take the next child as soon as they are free', () => {
  const ms = fc.integer({ min: 1, max: 3000 });
  const shape = {
    items: fc.integer({ min: 1, max: 2000 }),
    itemsPerRun: fc.integer({ min: 1, max: 20 }),
    concurrency: fc.integer({ min: 1, max: 400 }),
  };
  fc.assert(
    fc.property(fc.record({ ...shape, itemMs: ms, coldMs: ms, childMs: ms, tableMs: ms }), (batch) => {
      const { milliseconds, lanes } = batchEstimate(batch);
      // Lanes that start later: half of the last one's wait, and a child.
      const runMs = batch.childMs + batch.itemsPerRun * batch.itemMs;
      const most = lanes > 100 ? 500 * Math.floor((lanes - 1) / 100) + runMs : 0;
      expect(Math.abs(milliseconds - simulated(batch))).toBeLessThanOrEqual(most + 1e-6);
    }),
  );
});

const { callBytes, lineBytes } = DEFAULT_ENVIRONMENT.logs;

it('the bill of a batch has the requests of its calls, and a request of each item if it is in S3', () => {
  // Six runs of two slices.
  const usage = [0, 1].map((slice) => ({ slice, calls: 6, mbMs: 0 }));
  const items = { total: 40, done: 30, skipped: 7, failed: 3, pending: 0 };
  const constants = { prices: DEFAULT_PRICES, environment: DEFAULT_ENVIRONMENT };
  const options = { children: 7, architecture: 'x86_64', requestsInS3: true, ...constants } as const;
  const output = { usage, items, milliseconds: 7000, runs: 6 };
  const bill = batchBill(output, options);
  expect(bill.logs).toBeCloseTo(12 * (callBytes + lineBytes) * (0.5 / 2 ** 30), 12);
  expect([bill.s3Puts, bill.s3Gets]).toEqual([12 * 5e-6, expect.closeTo((30 + 6) * 0.4e-6, 12)]);
  expect(batchBill(output, { ...options, requestsInS3: false }).s3Gets).toBeCloseTo(6 * 0.4e-6, 12);
  // A transition of the batch, and an Express execution of a second and half a unit of 100 ms with 64 MB.
  expect(bill.stepFunctions).toBeCloseTo(7 * (25e-6 + 1e-6 + 1.05 * 0.0625 * 0.00001667), 12);
});

describe('a planned batch', () => {
  const planned = (environment = steadyEnvironment(10, 20, 5), coreSeconds = 1): BatchedPlan => {
    const model = costModel({ warmUp: false, result: 'inline', environment });
    const packOf = (items: number) => {
      const chain = chainOf(2, { coreSeconds: items * coreSeconds }).map(({ demand, choice }, slice) => ({
        demand: { ...demand, ...(slice === 0 && { requestGets: items }) },
        choice,
      }));
      const steps = stepsOf(model, chain);
      return { steps, outcomes: scheduleOutcomes(model, inSeries(2), steps) };
    };
    return { model, packOf, memoryMb: [1769, 1769], bytes: 1000, lineBytes: 0 };
  };
  const SHAPE = { items: 1000, itemsPerRun: 8, concurrency: 10 };

  it('has the packs, the cold starts of its lanes, and what its children cost', () => {
    const plan = planned();
    const { costs, dollars, milliseconds, ...rest } = plannedBatch(plan, SHAPE);
    const cost = (name: string) => costs.find(({ item }) => item === name)?.dollars;
    const { warm, cold } = plan.packOf(8).outcomes;
    const functions = (run: typeof warm) => run.dollars - run.machineDollars;

    expect(rest).toMatchObject({ children: 125, childrenAtOnce: 10 });
    // An object for each slice of a pack, a request for each item, and a read of the object between the slices.
    expect(cost('S3 PUT requests')).toBeCloseTo(125 * 2 * 5e-6, 12);
    expect(cost('S3 PUT of the request by the caller')).toBeCloseTo(1000 * 5e-6, 12);
    const loads = (cost('S3 GET requests') ?? NaN) - (1000 + 125) * 0.4e-6;
    expect(loads / (10 * 0.4e-6)).toBeGreaterThan(0);
    expect(cost('S3 GET of the result by the caller')).toBeUndefined();
    const machine = cost('Step Functions') ?? NaN;
    const uploads = (1000 - 125) * 5e-6;
    expect(dollars.p50 - machine - uploads).toBeCloseTo(
      125 * functions(warm) + 10 * (functions(cold) - functions(warm)),
      9,
    );
    // A transition of the batch and an Express execution of about 17 s for each child.
    expect(machine / (125 * (25e-6 + 1e-6 + 17 * 1.04e-6))).toBeCloseTo(1, 1);
    // Without delays that vary, every pack takes its mean; only the transitions of the batch itself vary.
    expect(dollars.p95).toBeCloseTo(dollars.p50, 9);
    expect(milliseconds.p95 - milliseconds.p50).toBeLessThan(1000);
  });

  it('takes and costs more if every pack takes its p95', () => {
    const { dollars, milliseconds } = plannedBatch(planned(costModel().options.environment, 0.01), SHAPE);
    expect(milliseconds.p95 / milliseconds.p50).toBeGreaterThan(1.03);
    expect(dollars.p95 / dollars.p50).toBeGreaterThan(1.01);
    expect(dollars.p95 / dollars.p50).toBeLessThan(milliseconds.p95 / milliseconds.p50);
  });

  it.each([
    [SHAPE, 1, []],
    [{ ...SHAPE, items: 1e6, concurrency: 1001 }, 1, ['calls at once in the account']],
    [{ ...SHAPE, itemsPerRun: 40 }, 10, ['seconds of a slow child (p95)']],
    [{ ...SHAPE, items: 1.2e7 }, 1, []],
    [{ ...SHAPE, items: 2e7 }, 1, ['items of the table']],
  ])('says which quotas %j exceeds', (shape, coreSeconds, expected) => {
    const { quotas } = plannedBatch(planned(undefined, coreSeconds), shape);
    expect(quotas.filter(({ used, limit }) => used > limit).map(({ quota }) => quota)).toEqual(expected);
  });

  it('has children that end in time where runs are slowest, after a cold start and a ramp', () => {
    // Items of 2 slices that compute for 1 s each, or for 9 s; a hundred children wait up to a second.
    const seconds = (slowest: number, concurrency: number) => {
      const shape = { items: 1e6, itemsPerRun: 8, concurrency };
      const { quotas } = plannedBatch(planned(), shape, planned(undefined, slowest));
      return quotas.find(({ quota }) => quota.startsWith('seconds of a slow child'))?.used ?? NaN;
    };
    expect(seconds(9, 10) - seconds(1, 10)).toBeCloseTo(8 * 2 * 8, 6);
    expect(seconds(1, 500) - seconds(1, 100)).toBeCloseTo(4, 6);
  });
});
