/** Compares the search with brute force over all plans of random graphs. */
import * as fc from 'fast-check';
import type { CostModel, Latency, RunCost, Temperature } from '../../../../lib/cost/cost-model';
import { costModel } from '../../../../lib/cost/model';
import { analyzeDataflow } from '../../../../lib/dataflow/dataflow';
import { parseModel } from '../../../../lib/onnx/parse';
import type { CutSpace } from '../../../../lib/plan/cuts/cuts';
import { findCuts } from '../../../../lib/plan/cuts/cuts';
import { bestPlan, paretoFront } from '../../../../lib/plan/search/optimum';
import type { PlanRequest } from '../../../../lib/plan/search/plan-request';
import { StretchTable } from '../../../../lib/plan/search/stretch-table';
import { memoryMb } from '../../../../lib/plan/sizes/estimate';
import type { TriedPlan } from '../../../support/every-plan';
import { everyPlan } from '../../../support/every-plan';
import { readFreshFilesAtOnce } from '../../../support/inference/fast-analysis';
import { saveModel } from '../../../support/model-builder';
import { randomCostModel } from '../../../support/random-cost-model';
import { randomModel } from '../../../support/random-graph';

readFreshFilesAtOnce();

const GRAPHS = 300;
const MOST_CUTS = 12;
const SEED = 14;
const MIB = 2 ** 20;
const TEMPERATURES: readonly Temperature[] = ['warm', 'cold', 'mixed'];
const QUANTILES: readonly (keyof Latency)[] = ['p50', 'p95'];

interface Case {
  readonly space: CutSpace;
  readonly request: PlanRequest;
  /** Where between the best and the worst plan the limits lie. */
  readonly share: number;
}

const random = fc.record({
  init: randomModel,
  model: randomCostModel,
  numbers: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  maxSlices: fc.integer({ min: 1, max: 20 }),
});

/** Fewer memory sizes the more cuts there are, because brute force tries all combinations. */
function memorySizes(cuts: number): readonly number[] {
  if (cuts <= 5) return [1024, 2048];
  return cuts <= 8 ? [1024] : [];
}

function cases(): Case[] {
  const found: Case[] = [];
  const samples = fc.sample(random, { numRuns: 1200, seed: SEED });
  for (const { init, model, numbers, share, maxSlices } of samples) {
    if (found.length === GRAPHS) break;
    const parsed = parseModel(saveModel(init));
    const draw = (): number => numbers.next().value as number;
    // Some tensors have so many bytes that the memory of the functions differs.
    const bytes = parsed.graph.values.map(() => Math.ceil(draw() ** 6 * 200 * MIB));
    const work = parsed.graph.nodes.map(() => draw() ** 2);
    // The search takes the random model from the request.
    const costs = { work, outputSecondsPerByte: draw() * 1e-9, model: () => costModel() };
    const space = findCuts(analyzeDataflow(parsed), () => undefined, bytes, costs);
    if (space.legal.length > MOST_CUTS) continue;
    const request = requestOf(model, space, maxSlices);
    found.push({ space, request, share });
  }
  return found;
}

function requestOf(model: CostModel, space: CutSpace, maxSlices: number): PlanRequest {
  return {
    model,
    minimize: 'cost',
    temperature: 'mixed',
    quantile: 'p50',
    maxMemoryMb: 3008,
    memorySizes: memorySizes(space.legal.length),
    transports: ['s3-standard', 's3-express'],
    threads: [1, 2],
    maxSlices,
  };
}

function tableOf({ space, request }: Case): StretchTable {
  const range = { start: 0, end: space.dataflow.order.length };
  return new StretchTable(space, space.legal, range, {
    fits: (size) => memoryMb(size) <= request.maxMemoryMb,
    isHopeless: (size) => memoryMb({ ...size, writeBytes: 0 }) > request.maxMemoryMb,
    describe: () => ({ limit: '', got: '', advice: '' }),
  });
}

const all = cases();

function between(least: number, most: number, share: number): number {
  return least + share * (most - least);
}

/** The least key, compared number by number, of the plans that keep the limits; `undefined` if none does. */
function least(
  plans: readonly TriedPlan[],
  keeps: (cost: RunCost) => boolean,
  keys: (plan: TriedPlan) => readonly number[],
): readonly number[] | undefined {
  let best: readonly number[] | undefined;
  for (const plan of plans) {
    if (!keeps(plan.cost)) continue;
    const own = keys(plan);
    const decisive = best?.findIndex((key, index) => key !== own[index]) ?? 0;
    if (best === undefined || (decisive >= 0 && own[decisive] < best[decisive])) best = own;
  }
  return best;
}

test(`the cases are ${GRAPHS} random graphs with up to ${MOST_CUTS} cut points`, () => {
  expect(all).toHaveLength(GRAPHS);
  const most = Math.max(...all.map(({ space }) => space.legal.length));
  expect(most).toBe(MOST_CUTS);
  expect(all.filter(({ space }) => space.legal.length >= 6).length).toBeGreaterThan(GRAPHS / 4);
});

describe.each(TEMPERATURES)('for runs that are %s', (temperature) => {
  test.each(QUANTILES)('every plan by %s equals the best one of brute force', (quantile) => {
    let feasible = 0;
    for (const each of all) {
      const request = { ...each.request, temperature, quantile };
      const table = tableOf(each);
      const plans: TriedPlan[] = [];
      everyPlan(each.space, request, (plan) => plans.push(plan));
      const time = ({ latency }: RunCost): number => latency[quantile];
      const times = plans.map(({ cost }) => time(cost));
      const dollars = plans.map(({ cost }) => cost.dollars);
      const range = (numbers: readonly number[]): [number, number] => [
        numbers.reduce((a, b) => Math.min(a, b), Infinity),
        numbers.reduce((a, b) => Math.max(a, b), 0),
      ];
      const maxLatencyMs = plans.length === 0 ? 1 : between(...range(times), each.share ** 3);
      const maxDollars = plans.length === 0 ? 1 : between(...range(dollars), each.share ** 3);

      const cheapest = bestPlan(table, { ...request, minimize: 'cost', maxLatencyMs });
      expect(cheapest && [cheapest.cost.dollars]).toEqual(
        least(
          plans,
          (cost) => time(cost) <= maxLatencyMs,
          ({ cost }) => [cost.dollars],
        ),
      );
      const fastest = bestPlan(table, { ...request, minimize: 'latency', maxDollars });
      expect(fastest && [time(fastest.cost)]).toEqual(
        least(
          plans,
          (cost) => cost.dollars <= maxDollars,
          ({ cost }) => [time(cost)],
        ),
      );
      const fewest = bestPlan(table, { ...request, minimize: 'slices' });
      expect(fewest && [fewest.label.slices, fewest.cost.dollars]).toEqual(
        least(
          plans,
          () => true,
          ({ slices, cost }) => [slices, cost.dollars],
        ),
      );
      const fewestInTime = bestPlan(table, { ...request, minimize: 'slices', maxLatencyMs });
      expect(fewestInTime && [fewestInTime.label.slices, fewestInTime.cost.dollars]).toEqual(
        least(
          plans,
          (cost) => time(cost) <= maxLatencyMs,
          ({ slices, cost }) => [slices, cost.dollars],
        ),
      );
      feasible += plans.length > 0 ? 1 : 0;
    }
    expect(feasible).toBeGreaterThan(GRAPHS * 0.8);
  });

  test('the Pareto front has exactly the plans of brute force that no plan beats in cost and in time', () => {
    for (const each of all) {
      const request = { ...each.request, temperature };
      const plans: TriedPlan[] = [];
      everyPlan(each.space, request, (plan) => plans.push(plan));
      const expected: (readonly [number, number])[] = [];
      const sorted = plans
        .map(({ cost }) => [cost.dollars, cost.latency.p50] as const)
        .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      for (const point of sorted)
        if (expected.length === 0 || point[1] < expected[expected.length - 1][1]) expected.push(point);
      const front = paretoFront(tableOf(each), request).map(({ cost }) => [cost.dollars, cost.latency.p50]);
      expect(front).toEqual(expected);
    }
  });
});
