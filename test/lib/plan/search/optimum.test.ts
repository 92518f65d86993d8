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
  if (cuts <= 4) return [1024, 2048];
  return cuts <= 6 ? [1024] : [];
}

/** Graphs with many cuts leave it to the others to compare numbers of threads. */
function threadCounts(cuts: number): readonly number[] {
  return cuts <= 8 ? [1, 2] : [2];
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
    const costs = {
      work,
      scratch: work.map(() => 0),
      outputSecondsPerByte: draw() * 1e-9,
      model: () => costModel(),
    };
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
    threads: threadCounts(space.legal.length),
    maxSlices,
  };
}

function tableOf({ space, request }: Case): StretchTable {
  const range = { start: 0, end: space.dataflow.order.length };
  return StretchTable.of(space, space.legal, range, {
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

/** Numbers up to the rounding of sums that were added in another order. */
function near(numbers: readonly number[]): readonly unknown[] {
  return numbers.map((number) => expect.closeTo(number, digitsOf(number)) as unknown);
}

/** Digits after the decimal point that make ten significant ones. */
function digitsOf(number: number): number {
  return number === 0 ? 10 : Math.max(0, 10 - Math.ceil(Math.log10(Math.abs(number))));
}

function expectBest(
  table: StretchTable,
  plans: readonly TriedPlan[],
  request: PlanRequest,
  keys: (plan: TriedPlan) => readonly number[],
): void {
  const { quantile, maxLatencyMs = Infinity, maxDollars = Infinity } = request;
  const found = bestPlan(table, request);
  const expected = least(
    plans,
    ({ latency, dollars }) => latency[quantile] <= maxLatencyMs && dollars <= maxDollars,
    keys,
  );
  if (expected === undefined) {
    expect(found).toBeUndefined();
    return;
  }
  const { label, cost } = found ?? {};
  expect(label && cost && keys({ cost, slices: label.slices, movedBytes: label.movedBytes })).toEqual(
    near(expected),
  );
}

function rangeOf(numbers: readonly number[]): [number, number] {
  return [numbers.reduce((a, b) => Math.min(a, b), Infinity), numbers.reduce((a, b) => Math.max(a, b), 0)];
}

/** Compares every objective for one quantile; the limits lie between the best and the worst plan. */
function compareWithBruteForce(
  { share }: Case,
  table: StretchTable,
  plans: readonly TriedPlan[],
  request: PlanRequest,
): void {
  const time = ({ cost }: TriedPlan): number => cost.latency[request.quantile];
  const dollars = ({ cost }: TriedPlan): number => cost.dollars;
  const limit = (numbers: readonly number[]): number =>
    numbers.length === 0 ? 1 : between(...rangeOf(numbers), share ** 3);
  const maxLatencyMs = limit(plans.map(time));
  const maxDollars = limit(plans.map(dollars));
  const fewest = ({ slices, cost }: TriedPlan): readonly number[] => [slices, cost.dollars];

  expectBest(table, plans, { ...request, minimize: 'cost' }, (plan) => [dollars(plan)]);
  expectBest(table, plans, { ...request, minimize: 'cost', maxLatencyMs }, (plan) => [dollars(plan)]);
  expectBest(table, plans, { ...request, minimize: 'latency' }, (plan) => [time(plan)]);
  expectBest(table, plans, { ...request, minimize: 'latency', maxDollars }, (plan) => [time(plan)]);
  expectBest(table, plans, { ...request, minimize: 'slices' }, fewest);
  expectBest(table, plans, { ...request, minimize: 'slices', maxLatencyMs }, fewest);
}

/** Without points that are faster by a rounding error alone. */
function frontOf(plans: readonly Pick<TriedPlan, 'cost'>[]): (readonly [number, number])[] {
  const front: (readonly [number, number])[] = [];
  const sorted = plans
    .map(({ cost }) => [cost.dollars, cost.latency.p50] as const)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  for (const point of sorted)
    if (front.length === 0 || point[1] < front[front.length - 1][1] * (1 - 1e-9)) front.push(point);
  return front;
}

test.each(TEMPERATURES)(
  'for %s runs, every best plan and every front equal those of brute force',
  (temperature) => {
    let feasible = 0;
    for (const each of all) {
      const request = { ...each.request, temperature };
      const table = tableOf(each);
      const plans: TriedPlan[] = [];
      everyPlan(each.space, request, (plan) => plans.push(plan));
      for (const quantile of QUANTILES) compareWithBruteForce(each, table, plans, { ...request, quantile });
      expect(frontOf(paretoFront(table, request))).toEqual(frontOf(plans).map(near));
      feasible += plans.length > 0 ? 1 : 0;
    }
    expect(feasible).toBeGreaterThan(GRAPHS * 0.8);
  },
);
