import * as fc from 'fast-check';
import { type BatchShape, type BatchTimes, batchEstimate, plannedBatch } from '../../../lib/cost/batch';
import { batchQuotas, mostItemsPerRun } from '../../../lib/cost/batch-quotas';
import { costModel } from '../../../lib/cost/model';
import { scheduleOutcomes } from '../../../lib/cost/schedule';
import { chainOf, inSeries, steadyEnvironment, stepsOf } from '../../support/cost-fixtures';

/** Gives each child to the lane that is free first. */
function simulated({ items, itemsPerRun, concurrency, ...times }: BatchShape & BatchTimes): number {
  const children = Math.ceil(items / itemsPerRun);
  const lanes = Array.from(
    { length: Math.min(concurrency, children) },
    (_, lane) => 1000 * Math.floor(lane / 100),
  );
  const ends = Array.from({ length: children }, (_, child) => {
    const own = child === children - 1 ? items - child * itemsPerRun : itemsPerRun;
    const lane = child < lanes.length ? child : lanes.indexOf(Math.min(...lanes));
    lanes[lane] += times.childMs + own * times.itemMs + (child < lanes.length ? times.coldMs : 0);
    return lanes[lane];
  });
  return times.tableMs + Math.max(children, ...ends);
}

describe('the time of a batch', () => {
  const [childMs, itemMs, coldMs, tableMs] = [100, 50, 1000, 7];

  it.each([
    ['one item', { items: 1, itemsPerRun: 8, concurrency: 100 }, 1150],
    ['a last child with fewer items', { items: 9, itemsPerRun: 8, concurrency: 1 }, 1500 + 150],
    ['a last wave that is partly empty', { items: 17, itemsPerRun: 8, concurrency: 2 }, 1500 + 150],
    ['children that start later', { items: 300, itemsPerRun: 1, concurrency: 1000 }, 2000 + 1150],
    ['more children than AWS starts in a second', { items: 1e7, itemsPerRun: 1, concurrency: 10_000 }, 1e7],
  ])('has %s', (_, shape, ms) => {
    const { milliseconds } = batchEstimate({ ...shape, childMs, itemMs, coldMs, tableMs });
    expect(milliseconds).toBeCloseTo(ms + tableMs, 2);
  });

  it('is that of lanes which take the next child as soon as they are free', () => {
    const ms = fc.integer({ min: 1, max: 3000 });
    const shape = {
      items: fc.integer({ min: 1, max: 2000 }),
      itemsPerRun: fc.integer({ min: 1, max: 20 }),
      concurrency: fc.integer({ min: 1, max: 400 }),
    };
    fc.assert(
      fc.property(fc.record({ ...shape, itemMs: ms, coldMs: ms, childMs: ms, tableMs: ms }), (batch) => {
        const expected = simulated(batch);
        expect(Math.abs(batchEstimate(batch).milliseconds - expected)).toBeLessThan(1e-5 * expected + 1e-3);
      }),
    );
  });
});

describe('a planned batch', () => {
  const planned = (environment = steadyEnvironment(10, 20, 5)) => {
    const model = costModel({ warmUp: false, result: 'inline', environment });
    const steps = stepsOf(model, chainOf(2, { coreSeconds: 1 }));
    return { model, steps, outcomes: scheduleOutcomes(model, inSeries(2), steps), memoryMb: [1769, 1769] };
  };
  const SHAPE = { items: 1000, itemsPerRun: 8, concurrency: 10 };

  it('has the items, the cold starts of its lanes, and what its children and the batch itself cost', () => {
    const plan = planned();
    const { costs, dollars, milliseconds, ...rest } = plannedBatch(plan, SHAPE);
    const cost = (name: string) => costs.find(({ item }) => item === name)?.dollars;
    const { warm, cold } = plan.outcomes;
    const functions = (run: typeof warm) => run.dollars - run.machineDollars;

    expect(rest).toMatchObject({ children: 125, lanes: 10, requests: { puts: 2, gets: 3 } });
    // The starts of the children, the two states of the batch, and its own start and end.
    expect(cost('Step Functions: transitions of the batch')).toBeCloseTo((125 + 4) * 25e-6, 12);
    expect(cost('S3 PUT requests')).toBeCloseTo((2 * 1000 + 1) * 5e-6, 12);
    const other = costs.filter(({ item }) => /own function|Step Functions/.test(item));
    expect(dollars.p50 - other.reduce((sum, own) => sum + own.dollars, 0)).toBeCloseTo(
      1000 * functions(warm) + 10 * (functions(cold) - functions(warm)) + 1000 * 0.4e-6 + 5e-6,
      9,
    );
    // Without delays that vary, every item takes its mean.
    expect(dollars.p95).toBeCloseTo(dollars.p50, 9);
    // Only the transitions of the batch itself vary.
    expect(milliseconds.p95 - milliseconds.p50).toBeLessThan(1000);
  });

  it('takes and costs more if every item takes its p95', () => {
    const { dollars, milliseconds } = plannedBatch(planned(costModel().options.environment), SHAPE);
    expect(milliseconds.p95 / milliseconds.p50).toBeGreaterThan(1.03);
    expect(dollars.p95 / dollars.p50).toBeGreaterThan(1.01);
    expect(dollars.p95 / dollars.p50).toBeLessThan(milliseconds.p95 / milliseconds.p50);
  });

  it('says which quotas it exceeds, and how many items a child may have', () => {
    const plan = planned();
    const exceeded = (shape: BatchShape) =>
      batchQuotas(shape, plannedBatch(plan, shape), { rowBytes: 515, width: 2 })
        .filter(({ used, limit }) => used > limit)
        .map(({ quota }) => quota);
    expect(exceeded(SHAPE)).toEqual([]);
    expect(exceeded({ ...SHAPE, items: 1e6, concurrency: 501 })).toEqual(['calls at once in the account']);
    const most = mostItemsPerRun(plan, SHAPE);
    const withItems = (itemsPerRun: number) => exceeded({ ...SHAPE, items: 10_000, itemsPerRun });
    expect(withItems(most)).toEqual([]);
    expect(withItems(most + 1)).toEqual(['seconds of a child (p95)']);
    expect(withItems(509)).not.toContain("bytes of a child's state");
    expect(withItems(510)).toContain("bytes of a child's state");
  });
});
