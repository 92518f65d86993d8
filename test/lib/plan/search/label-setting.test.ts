/** Compares the search with brute force over all plans of random graphs. */
import type { Latency, RunCost, Temperature } from '../../../../lib/cost/cost-model';
import { bestPath, paretoFront } from '../../../../lib/plan/search/label-setting';
import type { PlanRequest } from '../../../../lib/plan/goal';
import type { PricedGraph } from '../../../../lib/plan/search/priced-graph';
import { type TriedPlan, everyPlan } from '../../../support/every-plan';
import { readFreshFilesAtOnce } from '../../../support/inference/fast-analysis';
import { type PlanCase, graphOf, randomPlanCases } from '../../../support/random-plan-cases';
import { cases } from '../../../support/full-checks';

readFreshFilesAtOnce();

const GRAPHS = cases(80, 300);
const MOST_CUTS = 12;
const SEED = 14;
const TEMPERATURES: readonly Temperature[] = ['warm', 'cold', 'mixed'];
const QUANTILES: readonly (keyof Latency)[] = ['p50', 'p95'];

const all = randomPlanCases(GRAPHS, MOST_CUTS, SEED);

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
  graph: PricedGraph,
  plans: readonly TriedPlan[],
  request: PlanRequest,
  keys: (plan: TriedPlan) => readonly number[],
): void {
  const { quantile, maxLatencyMs = Infinity, maxDollars = Infinity } = request;
  const found = bestPath(graph, request);
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
  { share }: PlanCase,
  graph: PricedGraph,
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

  expectBest(graph, plans, { ...request, minimize: 'cost' }, (plan) => [dollars(plan)]);
  expectBest(graph, plans, { ...request, minimize: 'cost', maxLatencyMs }, (plan) => [dollars(plan)]);
  expectBest(graph, plans, { ...request, minimize: 'latency' }, (plan) => [time(plan)]);
  expectBest(graph, plans, { ...request, minimize: 'latency', maxDollars }, (plan) => [time(plan)]);
  expectBest(graph, plans, { ...request, minimize: 'slices' }, fewest);
  expectBest(graph, plans, { ...request, minimize: 'slices', maxLatencyMs }, fewest);
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
      const graph = graphOf({ ...each, request });
      const plans: TriedPlan[] = [];
      everyPlan(each.space, request, (plan) => plans.push(plan));
      for (const quantile of QUANTILES) compareWithBruteForce(each, graph, plans, { ...request, quantile });
      expect(frontOf(paretoFront(graph, request))).toEqual(frontOf(plans).map(near));
      feasible += plans.length > 0 ? 1 : 0;
    }
    expect(feasible).toBeGreaterThan(GRAPHS * 0.8);
  },
);
