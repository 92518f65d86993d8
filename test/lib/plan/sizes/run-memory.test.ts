/** The memory of tensors while nodes run, for values of given bytes, where tensors get it from, and the order of the nodes. */
import * as fc from 'fast-check';
import { analyzeDataflow } from '../../../../lib/dataflow/dataflow';
import { parseModel } from '../../../../lib/onnx/parse';
import { modelMemory, usesFrom, RunMemory } from '../../../../lib/plan/sizes/run-memory';
import { Arena, ArenaPool } from '../../../../lib/plan/sizes/arena';
import { executionOrder } from '../../../../lib/plan/sizes/slice-sizes';
import { cases } from '../../../support/full-checks';
import { graphOf, nodesOf } from '../../../support/graph-text';
import { readFreshFilesAtOnce } from '../../../support/inference/fast-analysis';
import {
  type ModelInit,
  FLOAT,
  callOf,
  functionsOf,
  int64s,
  saveModel,
  value,
} from '../../../support/model-builder';
import { randomModel } from '../../../support/random-graph';

readFreshFilesAtOnce();

const MIB = 2 ** 20;

/** Runs all nodes in order. Values of as many bytes have the same size. @param mib by name; every other value has one MiB */
function runModel(init: ModelInit, mib: Readonly<Record<string, number>> = {}) {
  const dataflow = analyzeDataflow(parseModel(saveModel(init)));
  const bytes = dataflow.model.graph.values.map(({ name }) => (mib[name] ?? 1) * MIB);
  const sizes = [...new Set(bytes)];
  const classes = Int32Array.from(bytes, (size) => sizes.indexOf(size));
  const scratch = dataflow.model.graph.nodes.map(({ opType }) => (opType === 'HardSwish' ? 3 * MIB : 0));
  const memory = modelMemory(dataflow, bytes, { classes, scratch });
  const pool = new ArenaPool(memory.heirs);
  const run = new RunMemory(memory, usesFrom(memory, 0), pool);
  for (const index of dataflow.order) run.run(index);
  return {
    peak: pool.peakBytes / MIB,
    shared: run.sharedBytes / MIB,
    largest: run.largestBytes / MIB,
    nodes: run.nodes,
  };
}

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
  ['the temporary buffer of a node', 'Exp x > a; HardSwish a > y', { peak: 5 }],
  ['its largest tensor', 'Exp x > a; ReduceSum a > y', { largest: 7, nodes: 2 }, { a: 7, y: 0.01 }],
])('a run holds %s: %s', (_, nodes, expected, mib = {}) => {
  expect(runModel({ graph: graphOf(nodes) }, mib)).toMatchObject(expected);
});

test('a run has a repeated node once, just before its first user', () => {
  const graph = graphOf('ConstantOfShape shape > w; Exp x > a; Add a w > b; Add b w > y', shape);
  // a, w and b, then b, w and y in the place of a.
  expect(runModel({ graph }, { w: 4 })).toMatchObject({ peak: 6, nodes: 4 });
});

test('a call of a local function holds inner tensors as large as its largest outer one, with 200,000 inputs too', () => {
  // Of the inner tensors t, u and v, all three live at one time.
  const functions = functionsOf({ Three: nodesOf('Exp a > t; Add t a > u; Add t u > v; Add v a > b') });
  const inputs = Array.from({ length: 200_000 }, (_, index) => (index === 123_456 ? 'large' : 'x'));
  const graph = graphOf([callOf('Three', inputs, ['y'])], {
    input: [value('x', FLOAT, [4]), value('large', FLOAT, [4])],
  });
  expect(runModel({ graph, ...functions }, { large: 5 }).peak).toBe(3 * 5 + 1);
});

test.each<[what: string, heirs: number[], steps: string, mib: number]>([
  ['touches no more than a tensor needs, although its regions are larger', [], '+0:5', 5],
  ['keeps released memory for the heir', [2, -1, -1], '+0:1 -0 +1:1', 2],
  ['gives the heir that memory', [2, -1, -1], '+0:1 -0 +1:1 +2:1', 2],
  ['gives released memory without an heir to any tensor that fits', [], '+0:5 -0 +1:4', 5],
  ['cannot place a tensor in gaps that are too small', [], '+0:1 +1:1 +2:1 +3:1 -0 -2 +4:2', 6],
  ['joins neighboring gaps', [], '+0:8 -0 +1:2 +2:2 -1 -2 +3:8', 8],
  ['adds up tensors below 16 KiB while they live', [], '+0:0.002 +1:0.004 -0 +2:0.001', 0.006],
  ['lends temporary buffers, whose memory later tensors take', [], '+0:1 ~3 +1:3', 4],
])('the pool %s: +1:2 allocates tensor 1 of 2 MiB, -1 releases it, ~3 borrows', (_, heirs, steps, mib) => {
  const pool = new ArenaPool(Int32Array.from({ length: 8 }, (__, value) => heirs[value] ?? -1));
  const sizes = new Map<number, number>();
  for (const step of steps.split(' ')) {
    const [value, size] = step.slice(1).split(':').map(Number);
    if (step.startsWith('~')) pool.borrow(value * MIB);
    else if (step.startsWith('-')) pool.release(value, sizes.get(value) ?? 0);
    else {
      sizes.set(value, size * MIB);
      pool.allocate(value, size * MIB);
    }
  }
  expect(pool.peakBytes / MIB).toBeCloseTo(mib, 9);
});

/** Tensors, each of which may be followed by the release of one. */
const steps = fc.array(
  fc.record({ bytes: fc.integer({ min: 1, max: 8 * MIB }), release: fc.option(fc.nat()) }),
  { maxLength: 40 },
);

test('neither the arena nor the pool holds less than the tensors that live at one time, or more than all of them', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const pool = new ArenaPool(new Int32Array(all.length).fill(-1));
      const arena = new Arena();
      const live: { value: number; chunk: number; bytes: number }[] = [];
      let [most, sum] = [0, 0];
      all.forEach(({ bytes, release }, value) => {
        pool.allocate(value, bytes);
        live.push({ value, chunk: arena.allocate(bytes), bytes });
        expect(new Set(live.map(({ chunk }) => chunk)).size).toBe(live.length);
        // Sizes in the arena are multiples of 256.
        sum += bytes + 256;
        const now = live.reduce((total, tensor) => total + tensor.bytes, 0);
        most = Math.max(most, now);
        if (release === null) return;
        const [released] = live.splice(release % live.length, 1);
        pool.release(released.value, released.bytes);
        arena.release(released.chunk);
      });
      for (const held of [pool.peakBytes, arena.touchedBytes]) {
        expect(held).toBeGreaterThanOrEqual(most);
        expect(held).toBeLessThanOrEqual(sum);
      }
    }),
  );
});

it('the order of execution has each node once, after the nodes that compute what it needs', () => {
  fc.assert(
    fc.property(randomModel, (init) => {
      const dataflow = analyzeDataflow(parseModel(saveModel(init)));
      const all = [...dataflow.model.graph.nodes.keys()].sort((a, b) => dataflow.rank[a] - dataflow.rank[b]);
      const order = executionOrder(dataflow, all);
      expect([...order].sort((a, b) => a - b)).toEqual([...all].sort((a, b) => a - b));
      const place = new Map(order.map((index, position) => [index, position]));
      for (const index of order) {
        for (const needed of dataflow.needs[index]) {
          const { producer } = dataflow.model.graph.values[needed];
          if (producer !== undefined) expect(place.get(producer)).toBeLessThan(place.get(index) ?? -1);
        }
      }
    }),
    { numRuns: cases(20, 100) },
  );
});

it('the order of execution is found for 200,000 nodes in a chain', () => {
  const needs = Array.from({ length: 200_000 }, (_, index) => (index === 0 ? [] : [index - 1]));
  const values = needs.map((_, index) => ({ name: '', producer: index }));
  const model = { graph: { values } } as never;
  const order = executionOrder({ needs, model }, [...needs.keys()]);
  expect([order[0], order[199_999]]).toEqual([0, 199_999]);
});
