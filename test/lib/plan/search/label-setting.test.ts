/** Compares the search with brute force over all plans of random graphs, and tests what it assumes of the state. */
import * as fc from 'fast-check';
import type {
  ChainTotals,
  CostModel,
  Latency,
  RunCost,
  StepChoice,
  Temperature,
} from '../../../../lib/cost/chain';
import type { PlanRequest } from '../../../../lib/plan/goal';
import { bestPath } from '../../../../lib/plan/search/label-setting';
import {
  type CutGraph,
  type PricedEdge,
  type PricedGraph,
  type Step,
  pricedGraph,
} from '../../../../lib/plan/search/cut-graph';
import { MAX_STATE_TENSORS } from '../../../../lib/plan/sizes/estimate';
import { cases } from '../../../support/full-checks';

const positive = fc.double({ min: 0.01, max: 10, noNaN: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });

/** No total that grows makes a run cheaper or faster. */
const randomModel: fc.Arbitrary<CostModel> = fc
  .record({
    ...{ warmsUp: fc.boolean(), coldShare: share, perMs: positive, spread: positive },
    ...{ transition: positive, put: positive, get: positive },
  })
  .map(({ warmsUp, coldShare, perMs, spread, transition, put, get }): CostModel => {
    const runOf = ({ writes, inState }: ChainTotals, dollars: number, ms: number): RunCost => {
      const slices = writes['s3-standard'] + writes['s3-express'];
      const { answered = 0, fed = 0 } = inState ?? {};
      const p50 = ms + slices * transition + (slices - answered) * put + (slices - fed) * get;
      const p95 = p50 + Math.sqrt(spread * (slices + writes['s3-standard']));
      return { dollars: dollars + perMs * p50, latency: { p50, p95 } };
    };
    const run = (totals: ChainTotals, temperature: Temperature): RunCost => {
      const warm = runOf(totals, totals.warmDollars, totals.warmMs);
      const cold = runOf(totals, totals.coldDollars, totals.coldMs);
      if (temperature !== 'mixed') return temperature === 'warm' ? warm : cold;
      const mix = (a: number, b: number): number => (1 - coldShare) * a + coldShare * b;
      const p50 = mix(warm.latency.p50, cold.latency.p50);
      const p95 = Math.max(warm.latency.p95, cold.latency.p95);
      return { dollars: mix(warm.dollars, cold.dollars), latency: { p50, p95 } };
    };
    return {
      ...{ warmsUp, coldShare, dollarsPerMs: perMs, run },
      step: () => ({ warmDollars: 0, coldDollars: 0, warmMs: 0, loadMs: 0, coldMs: 0 }),
      dollars: (totals, temperature) => run(totals, temperature).dollars,
      latencyMs: (totals, temperature, quantile) => run(totals, temperature).latency[quantile],
      isWithin: (totals, temperature, quantile, ms) => run(totals, temperature).latency[quantile] <= ms,
    };
  });

const step = fc
  .record({
    warmDollars: positive,
    moreDollars: positive,
    warmMs: positive,
    moreMs: positive,
    loadMs: positive,
  })
  .map(({ warmDollars, moreDollars, warmMs, moreMs, loadMs }) => ({
    ...{ warmDollars, coldDollars: warmDollars + moreDollars, warmMs, loadMs: 3 * loadMs },
    ...{ coldMs: warmMs + moreMs, memoryMb: 512 },
  }));

/** A range of nodes: neighbors are always slices, and most longer ranges too. */
const range = fc.record({
  isSlice: fc.integer({ min: 0, max: 9 }).map((number) => number > 1),
  steps: fc.array(step, { minLength: 1, maxLength: 2 }),
  movedBytes: fc.nat(1000),
  inState: fc.record({ isAnswered: fc.boolean(), readsAll: fc.boolean() }),
});

interface Case {
  readonly graph: PricedGraph;
  readonly request: PlanRequest;
  /** Where between the best and the worst plan the limits lie. */
  readonly share: number;
}

const anyCase: fc.Arbitrary<Case> = fc.integer({ min: 2, max: 8 }).chain((vertices) =>
  fc
    .record({
      ...{ model: randomModel, share, tensorsInState: fc.boolean(), isLast: fc.boolean() },
      ranges: fc.array(range, { minLength: vertices ** 2, maxLength: vertices ** 2 }),
      transport: fc.constantFrom('s3-standard', 's3-express'),
      temperature: fc.constantFrom('warm', 'cold', 'mixed'),
      quantile: fc.constantFrom<keyof Latency>('p50', 'p95'),
      maxSlices: fc.integer({ min: 1, max: 10 }),
      slices: fc.option(fc.integer({ min: 1, max: vertices - 1 }), { freq: 4, nil: undefined }),
    })
    .map(({ ranges, isLast, share: own, ...request }) => {
      const edges = ranges.flatMap(({ isSlice, steps, movedBytes, inState }, index): PricedEdge[] => {
        const [from, to] = [Math.floor(index / vertices), index % vertices];
        if (to <= from || (!isSlice && to > from + 1)) return [];
        const state = { ...inState, gets: 0, readBytes: 0, characters: 0 };
        const placed = steps.map((each): Step => ({
          ...{ ...each, movedBytes },
          ...(request.tensorsInState && { inState: state }),
        }));
        return [{ from, to, steps: placed }];
      });
      const { model, temperature, transport } = request;
      return {
        graph: { vertices, edges, model, temperature, transport, isLast },
        request: { ...request, minimize: 'cost', maxMemoryMb: 3008, memorySizes: [], threads: 2 },
        share: own,
      };
    }),
);

interface Plan {
  readonly cost: RunCost;
  readonly slices: number;
}

/** Every path, with every step of its edges. */
function everyPlan(graph: PricedGraph, { maxSlices, slices }: PlanRequest): Plan[] {
  const pathsFrom = (vertex: number): Step[][] =>
    vertex === graph.vertices - 1
      ? [[]]
      : graph.edges
          .filter(({ from }) => from === vertex)
          .flatMap(({ to, steps }) =>
            pathsFrom(to).flatMap((rest) => steps.map((first) => [first, ...rest])),
          );
  return pathsFrom(0)
    .filter(({ length }) => length <= maxSlices && length === (slices ?? length))
    .map((steps) => ({
      cost: graph.model.run(totalsOf(graph, steps), graph.temperature),
      slices: steps.length,
    }));
}

/** The formulas of `ChainTotals`. */
function totalsOf({ model, transport, isLast }: PricedGraph, steps: readonly Step[]): ChainTotals {
  const sum = (some: readonly Step[], of: (step: Step) => number): number =>
    some.reduce((total, each) => total + of(each), 0);
  const [first, ...later] = steps;
  const count = (of: (step: Step) => boolean | undefined): number => steps.filter(of).length;
  const standard = transport === 's3-standard' ? steps.length : Number(isLast);
  return {
    writes: { 's3-standard': standard, 's3-express': steps.length - standard },
    inState: {
      answered: count(({ inState }) => inState?.isAnswered),
      fed: count(({ inState }) => inState?.readsAll),
    },
    warmDollars: sum(steps, ({ warmDollars }) => warmDollars),
    coldDollars: sum(steps, ({ coldDollars }) => coldDollars),
    warmMs: sum(steps, ({ warmMs }) => warmMs),
    coldMs: model.warmsUp
      ? Math.max(first.loadMs + first.coldMs, ...later.map(({ loadMs }) => loadMs)) +
        sum(later, ({ coldMs }) => coldMs)
      : sum(steps, ({ loadMs, coldMs }) => loadMs + coldMs),
  };
}

/** Numbers up to the rounding of sums that were added in another order. */
const near = (numbers: readonly number[]): unknown[] =>
  numbers.map((number) => expect.closeTo(number, 8) as unknown);

const byKeys = (a: readonly number[], b: readonly number[]): number => {
  const decisive = a.findIndex((key, index) => key !== b[index]);
  return decisive < 0 ? 0 : a[decisive] - b[decisive];
};

test('every best plan equals that of brute force', () => {
  fc.assert(
    fc.property(anyCase, ({ graph, request, share: within }) => {
      const plans = everyPlan(graph, request);
      const time = ({ cost }: Plan): number => cost.latency[request.quantile];
      const dollars = ({ cost }: Plan): number => cost.dollars;
      const limit = (of: (plan: Plan) => number): number => {
        const all = plans.map(of).sort((a, b) => a - b);
        return plans.length === 0 ? 1 : all[0] + within ** 3 * (all[all.length - 1] - all[0]);
      };
      const fewest = (plan: Plan): number[] => [plan.slices, dollars(plan)];
      const goals: [Partial<PlanRequest>, (plan: Plan) => number[]][] = [
        [{ minimize: 'cost' }, (plan) => [dollars(plan)]],
        [{ minimize: 'cost', maxLatencyMs: limit(time) }, (plan) => [dollars(plan)]],
        [{ minimize: 'latency' }, (plan) => [time(plan)]],
        [{ minimize: 'latency', maxDollars: limit(dollars) }, (plan) => [time(plan)]],
        [{ minimize: 'slices' }, fewest],
        [{ minimize: 'slices', maxLatencyMs: limit(time) }, fewest],
      ];
      for (const [goal, keys] of goals) {
        const { maxLatencyMs = Infinity, maxDollars = Infinity } = goal;
        const kept = plans.filter((plan) => time(plan) <= maxLatencyMs && dollars(plan) <= maxDollars);
        const expected = kept.map(keys).sort(byKeys).at(0);
        const found = bestPath(graph, { ...request, ...goal });
        if (expected === undefined) expect(found).toBeUndefined();
        else expect(found && keys({ cost: found.cost, slices: found.label.slices })).toEqual(near(expected));
      }
    }),
    { numRuns: cases(250, 1500), seed: 14 },
  );
});

/** Much larger than the search's own share, so that it drops best plans of small graphs too. */
const SHARE = 1;

test('if each slice may be twice as bad, the plan is at most twice as bad for each slice of the best plan', () => {
  fc.assert(
    fc.property(anyCase, fc.constantFrom('cost', 'latency'), ({ graph, request }, minimize) => {
      const own = { ...request, minimize, quantile: 'p50' } as const;
      const [best, found] = [bestPath(graph, own), bestPath(graph, { ...own, stepEpsilon: SHARE })];
      if (best === undefined || found === undefined) {
        expect(found).toEqual(best);
        return;
      }
      const figure = ({ cost }: { cost: RunCost }): number =>
        minimize === 'cost' ? cost.dollars : cost.latency.p50;
      const ratio = figure(found) / figure(best);
      expect(ratio).toBeGreaterThan(1 - 1e-9);
      expect(ratio).toBeLessThan((1 + SHARE) ** best.label.slices);
    }),
    { numRuns: cases(100, 600), seed: 21 },
  );
});

test.each([
  ['answers tensors that fit into the state', 1, MAX_STATE_TENSORS, true],
  ['writes larger tensors', 1, MAX_STATE_TENSORS + 1, false],
  ['writes the results', 2, 1, false],
])('the search assumes that a slice %s', (_, to, characters, isAnswered) => {
  const size = { characters, gets: 1, smallReads: { areAll: true, bytes: 8 } };
  const graph = { vertices: [0, 1, 2], edges: [{ from: 0, to, size }], isFirst: true, isLast: true };
  const [model] = fc.sample(randomModel, 1);
  const request = { model, temperature: 'warm', transport: 's3-standard', threads: 2 } as const;
  const sizes = { memorySizes: [], maxMemoryMb: 3008, tensorsInState: true };
  const [edge] = pricedGraph(graph as unknown as CutGraph, { ...request, ...sizes }).edges;
  expect(edge.steps[0].inState).toMatchObject({ isAnswered, readsAll: true, gets: 1, readBytes: 8 });
});

test.each([
  [2, true],
  [1, false],
])(
  'the search prices the results of the model as such: a slice up to vertex %d of 2 writes them: %s',
  (to, expected) => {
    const choices: (boolean | undefined)[] = [];
    const model = {
      step: (_: object, { writesResult }: StepChoice) => {
        choices.push(writesResult);
        return { warmDollars: 1, coldDollars: 1, warmMs: 1, loadMs: 1, coldMs: 1 };
      },
    };
    const graph = { vertices: [0, 1, 2], edges: [{ from: 0, to, size: {} }], isFirst: true, isLast: true };
    const request = { model, temperature: 'warm', transport: 's3-standard', threads: 2 } as const;
    const pricing = { ...request, memorySizes: [], maxMemoryMb: 3008, tensorsInState: false };
    pricedGraph(graph as unknown as CutGraph, pricing as never);
    expect(choices).toEqual([expected]);
  },
);
