/** What each slicer chooses and refuses. */
import { type AnalyzedModel, analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { bestCut } from '../../../lib/plan/best-cut';
import {
  type AutomaticOptions,
  type Slicer,
  atTensors,
  automatic,
  count,
  fromPlan,
  maxSliceSize,
} from '../../../lib/plan/slicers';
import type { ConsolidationMode } from '../../../lib/plan/pricing/price';
import type { SliceSize } from '../../../lib/plan/sizes/estimate';
import { graphOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type GraphInit,
  type ModelInit,
  FLOAT,
  floats,
  mlp,
  saveModel,
  value,
} from '../../support/model-builder';
import { sparseModel } from '../../support/sparse-model';
import { writtenPlan } from '../../support/written-plan';

analyzeFast();

// Four layers with 1,088 bytes of weights each, and 12 nodes.
const model = analyzeModel(saveModel(mlp(4)), { dimensions: { batch: 2 } });
const ofGraph = (graph: GraphInit): AnalyzedModel => analyzeModel(saveModel({ graph }));

function slices(slicer: Slicer, analyzed = model) {
  return compileAnalyzed(analyzed, slicer).plan.slices;
}

const products = ofGraph(
  graphOf('MatMul x small > m; MatMul m large > y', {
    initializer: [floats('small', [3200, 96]), floats('large', [96, 16_384])],
    input: [value('x', FLOAT, [1, 3200])],
  }),
);
const casts = ofGraph(graphOf('Cast x > h to=10; Transpose h > t; Cast t > y to=1'));

test.each<[message: string, choose: () => unknown]>([
  ['the number of slices must be a whole number of 1 or more, got 0', () => count(0)],
  ['got 1.5', () => count(1.5)],
  ['can be cut into at most 12 slices, got 13 slices for its 12 nodes: use fewer', () => slices(count(13))],
  ['the size of a slice must be a whole number of bytes above 0, got 0', () => maxSliceSize(0)],
  [
    "each slice must have at most 1 MiB of weights, got 1.2 MiB for node 'MatMul_m' (MatMul), which cannot have more parts with the same bits: raise the slice size to at least 1.2 MiB",
    () => slices(maxSliceSize(2 ** 20), products),
  ],
  [
    'maxMemorySize must be a whole number of MB from 512 to 10240, got 511: a function of a slice has 512 MB at least',
    () => automatic({ maxMemorySize: 511 }),
  ],
  ['from 512 to 10240, got 512.5', () => automatic({ maxMemorySize: 512.5 })],
  ['the latency in ms must be a number above 0, got 0', () => automatic({ maxLatencyMs: 0 })],
  ['requests per hour must be a number above 0, got -1', () => automatic({ requestsPerHour: -1 })],
  ['must be at most 10,000,000, got 1000000000000: pass', () => automatic({ requestsPerHour: 1e12 })],
  ['the list of tensors to cut at must have one tensor or more, got none', () => atTensors([])],
  ["got 'nowhere', which the model does not have: list names with", () => slices(atTensors(['nowhere']))],
  ["got 'x', which is an input, constant or unused", () => slices(atTensors(['x']))],
  ["a cut at 'y' must leave nodes on both sides, got none on one side", () => slices(atTensors(['y']))],
  ["a cut at 't0' must leave nodes on both sides", () => slices(atTensors(['t0', 't0']))],
  [
    "a value that crosses a cut must arrive unchanged, got 't', which is of type float16: cut elsewhere",
    () => slices(atTensors(['t']), casts),
  ],
])('refuses with: %s', (message, choose) => {
  expect(choose).toThrow(message);
});

const six = analyzeModel(saveModel(mlp(6, 32)), { dimensions: { batch: 100 } });
const choose = (options: AutomaticOptions, { dataflow, cuts } = six, mode?: ConsolidationMode) =>
  bestCut(dataflow, cuts, automatic(options), mode);
const settingsOf = (options: AutomaticOptions, analyzed = six) => {
  const { settings } = choose(options, analyzed);
  if (settings === undefined) throw new Error('automatic chooses settings');
  return settings;
};

test('automatic makes the fewest slices that fit into the memory', () => {
  const large = analyzeModel(sparseModel(3, 8660));
  const sizes = (maxMemorySize: number) =>
    choose({ maxMemorySize }, large).groups.map((nodes) => nodes.length);
  expect(sizes(3008)).toEqual([6]);
  expect(sizes(1024)).toHaveLength(2);
  expect(sizes(512)).toEqual([2, 2, 2]);
});

test('automatic extends a slice that only its outputs or copies make too large, because they may be smaller then', () => {
  const { limit } = automatic({ maxMemorySize: 1024 }).search(six.cuts);
  // 112 MB of a bare function and its activations fill 1,024 MB with the margin of 15 %.
  const mostActivations = Math.floor((1024 * 2 ** 20) / 1.15) - 112e6;
  const ofBytes = (activationBytes: number, added: number): SliceSize => ({
    ...{ weightBytes: 0, mappedBytes: 0, packedBytes: 0, bodyBytes: 0, largestBytes: 0, readBytes: 0 },
    ...{ writeBytes: 0, requestBytes: 0, computedBytes: 0, nodes: 0 },
    ...{ gets: 0, requestGets: 0, coreSeconds: 0 },
    ...{ activationBytes, outputBytes: added, copiedBytes: added },
  });
  expect(limit.fits(ofBytes(mostActivations, 0))).toBe(true);
  expect(limit.fits(ofBytes(mostActivations, 1))).toBe(false);
  expect(limit.isHopeless(ofBytes(mostActivations, 1))).toBe(false);
  expect(limit.isHopeless(ofBytes(mostActivations + 1, 0))).toBe(true);
});

test.each<[AutomaticOptions, RegExp]>([
  [
    { maxLatencyMs: 1 },
    /^a run must have a p95 latency of at most 1 ms, got \d+ ms for the fastest plan, one slice of \d+ MB: allow more time, or more memory for a function$/,
  ],
  [
    { maxCostPerMillion: 0.01 },
    /^a million runs must cost at most \$0\.01, got \$\d+\.\d\d for the cheapest plan, one slice of \d+ MB: allow a higher cost$/,
  ],
])('automatic says what the best plan reaches if a limit is impossible: %j', (options, message) => {
  expect(() => choose(options)).toThrow(message);
});

test('automatic says that the price is that of slices and the whole model', () => {
  const message = /got \$\d+\.\d\d for the cheapest plan, .*the whole model.*: allow a higher cost$/;
  expect(() => choose({ maxCostPerMillion: 0.01, slices: 3 }, six, 'always')).toThrow(message);
});

test('automatic says what is reached within the cost if only both limits together are impossible', () => {
  const [{ cost: fastest }, { cost: cheapest }] = [
    settingsOf({ minimize: 'latency' }),
    settingsOf({ minimize: 'cost' }),
  ];
  const limits = {
    maxLatencyMs: fastest.latency.p95 * 0.9 + cheapest.latency.p95 * 0.1,
    maxCostPerMillion: cheapest.dollars * 1.0001e6,
  };
  expect(fastest.latency.p95).toBeLessThan(cheapest.latency.p95);
  expect(() => choose(limits)).toThrow(/ and cost at most \$\d+\.\d\d in a million runs, got \d+ ms /);
});

test('automatic finds the fastest plan of a price, although the search believes that it costs a little more', () => {
  const layers = analyzeModel(sparseModel(6, 4096));
  const within = settingsOf({ minimize: 'cost', maxLatencyMs: 1530 }, layers).cost;
  const fastest = settingsOf({ minimize: 'latency', maxCostPerMillion: within.dollars * 1e6 }, layers).cost;
  expect(fastest.dollars).toBeLessThanOrEqual(within.dollars * (1 + 1e-9));
  expect(fastest.latency.p95).toBeLessThan(1.02 * within.latency.p95);
});

const { plan } = writtenPlan(compileAnalyzed(model, count(2)));

test('fromPlan refuses a plan whose slices overlap or leave nodes out', () => {
  const [first, second] = plan.slices;
  const changed = { ...plan, slices: [{ ...first, nodes: [[0, 1] as const] }, second] };
  expect(() => slices(fromPlan(changed, 'p.json'))).toThrow(
    // An Add may run in several slices, so the plan may leave it out; a Tanh may not.
    'the slices must contain each of the 11 nodes that run in one slice only, exactly once, got 8 nodes: make a new plan for this model',
  );
});

const { graph } = mlp(4);
const node = graph.node.map((own) => (own.opType === 'Tanh' ? { ...own, opType: 'Sigmoid' } : own));

test.each<[string, ModelInit, string]>([
  ['more nodes', mlp(5), 'a plan of 12 nodes for a model of 15 nodes'],
  ['other operators', { graph: { ...graph, node } }, 'a plan of other operators or names'],
])('fromPlan refuses a plan if the model has %s', (_, init, got) => {
  expect(() => slices(fromPlan(plan, 'p.json'), analyzeModel(saveModel(init)))).toThrow(
    `plan 'p.json' must be made from the same graph as the model, got ${got}: make a new plan with \`sliced-inference slice\``,
  );
});
