import * as fc from 'fast-check';
import { modelMemory, usesFrom, type ModelMemory } from '../../../../lib/plan/sizes/model-memory';
import { RunMemory } from '../../../../lib/plan/sizes/run-memory';
import { ArenaPool } from '../../../../lib/plan/sizes/tensor-pool';
import { type NodeInit, FLOAT, attribute, floats, int64s, node, value } from '../../../support/model-builder';
import { type SizedModel, classesOf, sizedModel } from '../../../support/model-sizes';
import { randomModel } from '../../../support/random-graph';
import { cases } from '../../../support/full-checks';

const MIB = 2 ** 20;

/** Runs all nodes of the model in order. */
function runAll(sized: SizedModel, change: Partial<ModelMemory> = {}) {
  const { dataflow, bytes } = sized;
  const memory = { ...modelMemory(dataflow, bytes, sized), ...change };
  const pool = new ArenaPool(memory.heirs);
  const run = new RunMemory(memory, usesFrom(memory, 0), pool);
  for (const index of dataflow.order) run.run(index);
  return { run, peak: pool.peakBytes, memory };
}

/** The nodes on an input `x`, with the output `y`; every value has a mebibyte unless said otherwise. */
function runNodes(
  nodes: NodeInit[],
  bytes: Readonly<Record<string, number>> = {},
  scratch: Readonly<Record<string, number>> = {},
) {
  const all = Object.fromEntries(['x', ...nodes.flatMap(({ output }) => output)].map((name) => [name, MIB]));
  const graph = { node: nodes, input: [value('x', FLOAT, ['n'])], output: [value('y', FLOAT)] };
  return runAll(sizedModel({ graph }, { ...all, ...bytes }, scratch));
}

describe('a run', () => {
  it('holds the input and the output of a node, but not tensors that the slice reads', () => {
    expect(runNodes([node('Exp', ['x'], ['y'])]).peak).toBe(MIB);
    expect(runNodes([node('Exp', ['x'], ['a']), node('Exp', ['a'], ['y'])]).peak).toBe(2 * MIB);
  });

  it('holds a tensor until its last use', () => {
    const nodes = [
      node('Exp', ['x'], ['a']),
      node('Exp', ['a'], ['b']),
      node('Exp', ['b'], ['c']),
      node('Add', ['a', 'c'], ['y']),
    ];
    expect(runNodes(nodes).peak).toBe(3 * MIB);
  });

  it('takes no memory for a view', () => {
    const nodes = [node('Exp', ['x'], ['a']), node('Flatten', ['a'], ['b']), node('Exp', ['b'], ['y'])];
    expect(runNodes(nodes).peak).toBe(2 * MIB);
  });

  it('computes in place only if nothing else needs the input', () => {
    const inPlace = [node('Exp', ['x'], ['a']), node('Relu', ['a'], ['y'])];
    expect(runNodes(inPlace).peak).toBe(MIB);
    const needed = [node('Exp', ['x'], ['a']), node('Relu', ['a'], ['b']), node('Add', ['a', 'b'], ['y'])];
    expect(runNodes(needed).peak).toBe(3 * MIB);
  });

  it('computes in place neither over a tensor that it reads nor in another size', () => {
    expect(runNodes([node('Relu', ['x'], ['y'])]).peak).toBe(MIB);
    expect(runNodes([node('Exp', ['x'], ['a']), node('Cast', ['a'], ['y'])], { y: 2 * MIB }).peak).toBe(
      3 * MIB,
    );
  });

  it('adds the temporary buffers of a node to its input and its output', () => {
    const nodes = [node('Exp', ['x'], ['a']), node('HardSwish', ['a'], ['y'])];
    expect(runNodes(nodes, {}, { HardSwish: 3 * MIB }).peak).toBe(5 * MIB);
  });

  it('knows its largest tensor and the number of its nodes', () => {
    const nodes = [node('Exp', ['x'], ['a']), node('ReduceSum', ['a'], ['y'])];
    const { run } = runNodes(nodes, { a: 7 * MIB, y: 4 });
    expect([run.largestBytes, run.nodes]).toEqual([7 * MIB, 2]);
  });

  it('says which bytes would be copied if it ended at a view', () => {
    const nodes = [node('Exp', ['x'], ['a']), node('Flatten', ['a'], ['y'])];
    expect(runNodes(nodes).run.sharedBytes).toBe(MIB);
    expect(runNodes([...nodes.slice(0, 1), node('Exp', ['a'], ['y'])]).run.sharedBytes).toBe(0);
  });

  it('takes no memory for the tensor of a constant node', () => {
    const nodes = [
      node('Constant', [], ['c'], [attribute.tensor('value', floats('', [4]))]),
      node('Add', ['x', 'c'], ['y']),
    ];
    expect(runNodes(nodes, { c: 9 * MIB }).peak).toBe(MIB);
  });

  it('runs a repeated node once, just before its first user', () => {
    const graph = {
      node: [
        node('ConstantOfShape', ['shape'], ['w']),
        node('Exp', ['x'], ['a']),
        node('Add', ['a', 'w'], ['b']),
        node('Add', ['b', 'w'], ['y']),
      ],
      initializer: [int64s('shape', [2])],
      input: [value('x', FLOAT, ['n'])],
      output: [value('y', FLOAT)],
    };
    const sized = sizedModel({ graph }, { w: 4 * MIB, a: MIB, b: MIB, y: MIB });
    const { run, peak } = runAll(sized);
    expect(run.nodes).toBe(4);
    // a, w and b, then b, w and y in the place of a.
    expect(peak).toBe(6 * MIB);
  });

  it('never holds less than the tensors that live at one time, if every node needs a place for its result', () => {
    fc.assert(
      fc.property(randomModel, fc.integer({ min: 1, max: 3 * MIB }), (init, seed) => {
        const sized = withBytes(sizedModel(init, {}), (index) => 1 + ((index * 7919 * seed) % (3 * MIB)));
        const isNew = sized.dataflow.model.graph.nodes.map(() => 'new' as const);
        const { peak } = runAll(sized, { outputMemory: isNew });
        expect(peak).toBeGreaterThanOrEqual(mostLive(sized));
      }),
      { numRuns: cases(20, 120) },
    );
  });

  it('never holds less than its largest tensor, and more for larger ones below 16 KiB', () => {
    fc.assert(
      fc.property(randomModel, fc.integer({ min: 1, max: 100 }), (init, seed) => {
        const sized = sizedModel(init, {});
        const small = withBytes(sized, (index) => 1 + ((index * seed) % 4000));
        const { peak, run } = runAll(small);
        expect(peak).toBeGreaterThanOrEqual(run.largestBytes);
        const twice = withBytes(sized, (index) => 2 * small.bytes[index]);
        expect(runAll(twice).peak).toBe(2 * peak);
      }),
      { numRuns: cases(20, 120) },
    );
  });
});

function withBytes(sized: SizedModel, bytesOf: (value: number) => number): SizedModel {
  const bytes = sized.bytes.map((_, index) => bytesOf(index));
  return { ...sized, bytes, classes: classesOf(bytes) };
}

/** The most bytes that nodes of the order have computed and that are needed later, at any node. */
function mostLive({ dataflow, bytes }: SizedModel): number {
  const { order, needs, model } = dataflow;
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
