/** Compares the search with brute force over all plans of random graphs. */
import type {
  Latency,
  RunCost,
  StepChoice,
  StepCost,
  Temperature,
  Transport,
} from '../../../../lib/cost/chain';
import type { CutSpace } from '../../../../lib/plan/cuts/cuts';
import { sizeRanges } from '../../../../lib/plan/cuts/range-sizes';
import { bestPath, paretoFront } from '../../../../lib/plan/search/label-setting';
import type { Minimize, PlanRequest } from '../../../../lib/plan/goal';
import { demandOf } from '../../../../lib/plan/pricing/price';
import type { PricedGraph } from '../../../../lib/plan/search/cut-graph';
import { type SliceSize, memoryMb } from '../../../../lib/plan/sizes/estimate';
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

/** Much larger than the search's own share, so that it drops best plans of small graphs too. */
const SHARE = 0.2;

const others = randomPlanCases(60, MOST_CUTS, 21).map((each) => ({ ...each, graph: graphOf(each) }));

/** By case that has a plan: how many times worse the plan is than the best one, and the slices of the best one. */
function compareWithBest(minimize: Minimize, figure: (cost: RunCost) => number) {
  return others.flatMap(({ graph, request }) => {
    const own = { ...request, minimize };
    const [best, near] = [bestPath(graph, own), bestPath(graph, { ...own, stepEpsilon: SHARE })];
    if (best === undefined || near === undefined) {
      expect(near).toEqual(best);
      return [];
    }
    return [{ ratio: figure(near.cost) / figure(best.cost), slices: best.label.slices }];
  });
}

describe('if each slice may be a fifth worse', () => {
  test.each<[Minimize, (cost: RunCost) => number]>([
    ['cost', ({ dollars }) => dollars],
    ['latency', ({ latency }) => latency.p50],
  ])(
    'the plan with the least %s is worse by at most a fifth for each slice of the best plan',
    (...objective) => {
      const compared = compareWithBest(...objective);

      expect(compared.length).toBeGreaterThan(others.length / 2);
      for (const { ratio, slices } of compared) {
        expect(ratio).toBeGreaterThan(1 - 1e-9);
        expect(ratio).toBeLessThan((1 + SHARE) ** slices);
      }
    },
  );

  test('some plans cost more than the best ones, so the share has an effect', () => {
    const compared = compareWithBest('cost', ({ dollars }) => dollars);

    expect(compared.filter(({ ratio }) => ratio > 1 + 1e-9)).not.toHaveLength(0);
  });
});

interface TriedPlan {
  readonly cost: RunCost;
  readonly slices: number;
  readonly movedBytes: number;
}

interface Partial {
  readonly slices: number;
  readonly movedBytes: number;
  readonly warmDollars: number;
  readonly coldDollars: number;
  readonly warmMs: number;
  /** With warm-ups: when all slices have loaded and the first one has run. */
  readonly startMs: number;
  readonly laterMs: number;
}

/** Calls `visit` with each plan: every set of legal cuts, with every set of memory sizes. */
function everyPlan(space: CutSpace, request: PlanRequest, visit: (plan: TriedPlan) => void): void {
  const boundaries = [0, ...space.legal, space.dataflow.order.length];
  const sizes = sizesBetween(space, boundaries);
  const { transport, threads } = request;
  const steps = sizes.map((row, from) =>
    row.map((size, to) => stepsOf(space, request, size, choiceOf(transport, threads, from, to, sizes))),
  );
  visitPlans(sizes, steps, request, (plan) => {
    const writes =
      transport === 's3-standard'
        ? { 's3-standard': plan.slices, 's3-express': 0 }
        : { 's3-standard': 1, 's3-express': plan.slices - 1 };
    const totals = { ...plan, coldMs: plan.startMs + plan.laterMs, writes };
    const cost = request.model.run(totals, request.temperature);
    visit({ cost, slices: plan.slices, movedBytes: plan.movedBytes });
  });
}

function choiceOf(
  transport: Transport,
  threads: number,
  from: number,
  to: number,
  sizes: readonly unknown[],
): Omit<StepChoice, 'memoryMb'> {
  return {
    threads,
    readsFrom: from === 0 ? 'request' : transport,
    writesTo: to === sizes.length - 1 ? 's3-standard' : transport,
  };
}

/** One step for each memory size that the slice may have. */
function stepsOf(
  { costs }: CutSpace,
  { model, maxMemoryMb, memorySizes }: PlanRequest,
  size: SliceSize,
  choice: Omit<StepChoice, 'memoryMb'>,
): StepCost[] {
  const least = memoryMb(size);
  const demand = demandOf(size, costs.outputSecondsPerByte);
  if (least > maxMemoryMb) return [];
  const larger = memorySizes.filter((memory) => memory > least && memory <= maxMemoryMb);
  return [least, ...larger].map((memory) => model.step(demand, { ...choice, memoryMb: memory }));
}

function visitPlans(
  sizes: readonly (readonly SliceSize[])[],
  steps: readonly (readonly (readonly StepCost[])[])[],
  { model, maxSlices }: PlanRequest,
  visit: (plan: Partial) => void,
): void {
  const last = sizes.length - 1;
  const extend = (from: number, partial: Partial): void => {
    for (let to = from + 1; to <= last; to++) {
      const { readBytes, writeBytes } = sizes[from][to];
      for (const step of steps[from][to]) {
        const next: Partial = {
          slices: partial.slices + 1,
          movedBytes: partial.movedBytes + readBytes + writeBytes,
          warmDollars: partial.warmDollars + step.warmDollars,
          coldDollars: partial.coldDollars + step.coldDollars,
          warmMs: partial.warmMs + step.warmMs,
          ...coldAfter(partial, step, model.warmsUp),
        };
        if (to < last) extend(to, next);
        else if (next.slices <= maxSlices) visit(next);
      }
    }
  };
  extend(0, { slices: 0, movedBytes: 0, warmDollars: 0, coldDollars: 0, warmMs: 0, startMs: 0, laterMs: 0 });
}

/** The formula of `ChainTotals`, step by step. */
function coldAfter(
  { slices, startMs, laterMs }: Partial,
  { loadMs, coldMs }: StepCost,
  warmsUp: boolean,
): Pick<Partial, 'startMs' | 'laterMs'> {
  if (!warmsUp) return { startMs, laterMs: laterMs + (loadMs + coldMs) };
  if (slices === 0) return { startMs: loadMs + coldMs, laterMs };
  return { startMs: Math.max(startMs, loadMs), laterMs: laterMs + coldMs };
}

function sizesBetween(space: CutSpace, boundaries: readonly number[]): SliceSize[][] {
  return boundaries.map((_, from) => {
    const row = new Array<SliceSize>(boundaries.length);
    sizeRanges(space, boundaries, from, (to, size) => {
      row[to] = size;
      return true;
    });
    return row;
  });
}
