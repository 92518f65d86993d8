/** The memory of tensors while nodes run, for values of given bytes, without ONNX Runtime. */
import * as fc from 'fast-check';
import { type Dataflow, analyzeDataflow } from '../../../../lib/dataflow/dataflow';
import { parseModel } from '../../../../lib/onnx/parse';
import { type ModelMemory, modelMemory, usesFrom, RunMemory } from '../../../../lib/plan/sizes/run-memory';
import { ArenaPool } from '../../../../lib/plan/sizes/arena';
import { cases } from '../../../support/full-checks';
import { graphOf, nodesOf } from '../../../support/graph-text';
import { readFreshFilesAtOnce } from '../../../support/inference/fast-analysis';
import {
  type ModelInit,
  FLOAT,
  attribute,
  floats,
  int64s,
  node,
  saveModel,
  value,
} from '../../../support/model-builder';
import { randomModel } from '../../../support/random-graph';

readFreshFilesAtOnce();

const MIB = 2 ** 20;

/** Runs all nodes of the model in order. Values of as many bytes have the same size. */
function runAll(
  dataflow: Dataflow,
  bytes: readonly number[],
  scratchOf: Readonly<Record<string, number>> = {},
  change: Partial<ModelMemory> = {},
) {
  const sizes = [...new Set(bytes)];
  const classes = Int32Array.from(bytes, (size) => sizes.indexOf(size));
  const scratch = dataflow.model.graph.nodes.map(({ opType }) => scratchOf[opType] ?? 0);
  const memory = { ...modelMemory(dataflow, bytes, { classes, scratch }), ...change };
  const pool = new ArenaPool(memory.heirs);
  const run = new RunMemory(memory, usesFrom(memory, 0), pool);
  for (const index of dataflow.order) run.run(index);
  return { run, peak: pool.peakBytes };
}

/** @param mib by name: mebibytes; every other value has one */
function runModel(
  init: ModelInit,
  mib: Readonly<Record<string, number>> = {},
  scratch: Readonly<Record<string, number>> = {},
) {
  const dataflow = analyzeDataflow(parseModel(saveModel(init)));
  const bytes = dataflow.model.graph.values.map(({ name }) => (mib[name] ?? 1) * MIB);
  const { run, peak } = runAll(dataflow, bytes, scratch);
  return {
    peak: peak / MIB,
    shared: run.sharedBytes / MIB,
    largest: run.largestBytes / MIB,
    nodes: run.nodes,
  };
}

const constant = node('Constant', [], ['c'], [attribute.tensor('value', floats('', [4]))]);
const shape = { initializer: [int64s('shape', [2])] };

test.each<[what: string, nodes: string, expected: object, mib?: Record<string, number>]>([
  ['not what the slice reads', 'Exp x > y', { peak: 1 }],
  ['the input and the output of a node', 'Exp x > a; Exp a > y', { peak: 2 }],
  ['a tensor until its last use', 'Exp x > a; Exp a > b; Exp b > c; Add a c > y', { peak: 3 }],
  ['nothing for a view', 'Exp x > a; Flatten a > b; Exp b > y', { peak: 2, shared: 0 }],
  ['a copy of a view that it ends at', 'Exp x > a; Flatten a > y', { peak: 1, shared: 1 }],
  ['one tensor in place', 'Exp x > a; Relu a > y', { peak: 1 }],
  ['another one if something else needs the input', 'Exp x > a; Relu a > b; Add a b > y', { peak: 3 }],
  ['another one for a tensor that it reads', 'Relu x > y', { peak: 1 }],
  ['another one for another size', 'Exp x > a; Cast a > y to=1', { peak: 3 }, { y: 2 }],
  ['its largest tensor', 'Exp x > a; ReduceSum a > y', { largest: 7, nodes: 2 }, { a: 7, y: 0.01 }],
])('a run holds %s: %s', (_, nodes, expected, mib = {}) => {
  expect(runModel({ graph: graphOf(nodes) }, mib)).toMatchObject(expected);
});

test('a run adds the temporary buffers of a node to its input and its output', () => {
  const graph = graphOf('Exp x > a; HardSwish a > y');
  expect(runModel({ graph }, {}, { HardSwish: 3 * MIB }).peak).toBe(5);
});

test('a run takes no memory for the tensor of a constant node', () => {
  const graph = graphOf([constant, ...nodesOf('Add x c > y')]);
  expect(runModel({ graph }, { c: 9 }).peak).toBe(1);
});

test('a run has a repeated node once, just before its first user', () => {
  const graph = graphOf('ConstantOfShape shape > w; Exp x > a; Add a w > b; Add b w > y', shape);
  // a, w and b, then b, w and y in the place of a.
  expect(runModel({ graph }, { w: 4 })).toMatchObject({ peak: 6, nodes: 4 });
});

test('a call of a local function holds inner tensors as large as its largest outer one, with 200,000 inputs too', () => {
  const opsetImport = ['', 'local'].map((domain) => ({ domain, version: domain === '' ? 17 : 1 }));
  // Of the inner tensors a, b and c, all three live at one time.
  const body = nodesOf('Exp x > a; Add a x > b; Add a b > c; Add c x > y');
  const functions = [
    { name: 'Three', domain: 'local', input: ['x'], output: ['y'], opsetImport, node: body },
  ];
  const inputs = Array.from({ length: 200_000 }, (_, index) => (index === 123_456 ? 'large' : 'x'));
  const graph = graphOf([{ opType: 'Three', domain: 'local', input: inputs, output: ['y'] }], {
    input: [value('x', FLOAT, [4]), value('large', FLOAT, [4])],
  });
  expect(runModel({ graph, opsetImport, functions }, { large: 5 }).peak).toBe(3 * 5 + 1);
});

const sized = (init: ModelInit, bytesOf: (index: number) => number) => {
  const dataflow = analyzeDataflow(parseModel(saveModel(init)));
  return { dataflow, bytes: dataflow.model.graph.values.map((_, index) => bytesOf(index)) };
};

test('a run never holds less than the tensors that live at one time, if every node needs a place for its result', () => {
  fc.assert(
    fc.property(randomModel, fc.integer({ min: 1, max: 3 * MIB }), (init, seed) => {
      const { dataflow, bytes } = sized(init, (index) => 1 + ((index * 7919 * seed) % (3 * MIB)));
      const outputMemory = dataflow.model.graph.nodes.map(() => 'new' as const);
      const { peak } = runAll(dataflow, bytes, {}, { outputMemory });
      expect(peak).toBeGreaterThanOrEqual(mostLive(dataflow, bytes));
    }),
    { numRuns: cases(20, 120) },
  );
});

test('a run never holds less than its largest tensor, and more for larger ones below 16 KiB', () => {
  fc.assert(
    fc.property(randomModel, fc.integer({ min: 1, max: 100 }), (init, seed) => {
      const { dataflow, bytes } = sized(init, (index) => 1 + ((index * seed) % 4000));
      const { peak, run } = runAll(dataflow, bytes);
      expect(peak).toBeGreaterThanOrEqual(run.largestBytes);
      const doubled = bytes.map((own) => 2 * own);
      expect(runAll(dataflow, doubled).peak).toBe(2 * peak);
    }),
    { numRuns: cases(20, 120) },
  );
});

/** The most bytes that nodes of the order have computed and that are needed later, at any node. */
function mostLive({ order, needs, model }: Dataflow, bytes: readonly number[]): number {
  const results = new Set(model.graph.outputs.map(({ value: index }) => index));
  const live = order.map((_, position) => {
    const computed = order.slice(0, position + 1).flatMap((index) => model.graph.nodes[index].outputs);
    const needed = new Set(order.slice(position).flatMap((index) => [...needs[index]]));
    const own = new Set(model.graph.nodes[order[position]].outputs);
    return [...new Set(computed)]
      .filter((index) => index >= 0 && (needed.has(index) || results.has(index) || own.has(index)))
      .reduce((sum, index) => sum + bytes[index], 0);
  });
  return live.reduce((most, sum) => Math.max(most, sum), 0);
}
