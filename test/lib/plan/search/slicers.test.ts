import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyzeModel } from '../../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../../lib/compile/compile';
import { bestCut } from '../../../../lib/plan/best-cut';
import { atTensors, automatic, count, maxSliceSize, type Slicer } from '../../../../lib/plan/slicers';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { fromPlanFile } from '../../../support/plan-file';
import {
  type ModelInit,
  FLOAT,
  floats,
  mlp,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../../support/model-builder';
import { writtenPlan } from '../../../support/written-plan';

analyzeFast();

// Four layers with 1,088 bytes of weights each.
const model = analyzeModel(saveModel(mlp(4)), { dimensions: { batch: 2 } });

function slices(slicer: Slicer, analyzed = model) {
  return compileAnalyzed(analyzed, slicer).plan.slices;
}

describe('count', () => {
  test.each([1, 2, 3, 4, 7, 12])('makes %i slices', (n) => {
    expect(slices(count(n))).toHaveLength(n);
  });

  test('makes slices that need about the same memory', () => {
    const needs = slices(count(4)).map(({ weightBytes, activationBytes }) => weightBytes + activationBytes);
    expect(Math.max(...needs) / Math.min(...needs)).toBeLessThan(1.5);
  });

  test('refuses more slices than nodes', () => {
    expect(() => slices(count(13))).toThrow(
      'the model can be cut into at most 12 slices, got 13 slices for its 12 nodes: use fewer slices',
    );
  });

  test.each([0, -1, 1.5, NaN])('refuses %d', (n) => {
    expect(() => count(n)).toThrow(`the number of slices must be a whole number of 1 or more, got ${n}`);
  });

  test('prefers cuts that few bytes cross', () => {
    // A bottleneck of one element between two wide halves.
    const graph = {
      node: [
        node('MatMul', ['x', 'down'], ['narrow']),
        node('Abs', ['narrow'], ['narrow2']),
        node('MatMul', ['narrow2', 'up'], ['wide']),
        node('Abs', ['wide'], ['y']),
      ],
      initializer: [floats('down', [512, 1]), floats('up', [1, 512])],
      input: [value('x', FLOAT, [1, 512])],
      output: [value('y', FLOAT)],
    };
    const [first] = slices(count(2), analyzeModel(saveModel({ graph })));
    expect(first.outputs.map(({ name }) => name)).toEqual([expect.stringMatching(/^narrow/)]);
  });
});

describe('maxSliceSize', () => {
  test('makes the fewest slices within the size', () => {
    expect(slices(maxSliceSize(1088))).toHaveLength(4);
    expect(slices(maxSliceSize(2176))).toHaveLength(2);
    expect(slices(maxSliceSize(10_000))).toHaveLength(1);
  });

  test('refuses a size that one node exceeds', () => {
    expect(() => slices(maxSliceSize(1000))).toThrow(
      "each slice must have at most 1000 bytes of weights, got 1024 bytes for node 'MatMul_m0' (MatMul): raise the slice size to 1024 bytes or more",
    );
    expect(() => slices(maxSliceSize(1023))).toThrow('raise the slice size to 1024 bytes or more');
    expect(slices(maxSliceSize(1024)).length).toBeGreaterThan(4);
  });

  test('names the smallest size for all nodes, rounded up to tenths of a MiB', () => {
    const graph = {
      node: [node('MatMul', ['x', 'small'], ['m']), node('MatMul', ['m', 'large'], ['y'])],
      initializer: [floats('small', [600, 512]), floats('large', [512, 4096])],
      input: [value('x', FLOAT, [1, 600])],
      output: [value('y', FLOAT, [1, 4096])],
    };
    const { cuts } = analyzeModel(saveModel({ graph }));
    expect(() => maxSliceSize(2 ** 20).choose(cuts)).toThrow(
      "each slice must have at most 1 MiB of weights, got 1.2 MiB for node 'MatMul_m' (MatMul): raise the slice size to 8 MiB or more",
    );
    expect(maxSliceSize(2 ** 23).choose(cuts).groups).toHaveLength(2);
  });

  test('refuses a size of 0', () => {
    expect(() => maxSliceSize(0)).toThrow(
      'the size of a slice must be a whole number of bytes above 0, got 0',
    );
  });
});

describe('automatic', () => {
  test('makes one slice of a model that fits into one function', () => {
    expect(slices(automatic())).toHaveLength(1);
  });

  test('makes the fewest slices that fit into the memory', () => {
    // Three layers of 300 MB each, in a sparse file: planning reads only their sizes.
    const folder = temporaryFolder();
    const width = 8660;
    const bytes = width * width * 4;
    fs.writeFileSync(path.join(folder, 'w.bin'), '');
    fs.truncateSync(path.join(folder, 'w.bin'), bytes * 3);
    const weight = (index: number) => ({
      name: `w${index}`,
      dataType: FLOAT,
      dims: [width, width],
      dataLocation: 1,
      externalData: [
        { key: 'location', value: 'w.bin' },
        { key: 'offset', value: String(index * bytes) },
        { key: 'length', value: String(bytes) },
      ],
    });
    const graph = {
      node: [
        node('MatMul', ['x', 'w0'], ['a']),
        node('MatMul', ['a', 'w1'], ['b']),
        node('MatMul', ['b', 'w2'], ['y']),
      ],
      initializer: [0, 1, 2].map(weight),
      input: [value('x', FLOAT, [1, width])],
      output: [value('y', FLOAT)],
    };
    const { dataflow, cuts } = analyzeModel(saveModel({ graph }, 'model.onnx', folder));
    const sizes = (maxMemory: number) =>
      bestCut(dataflow, cuts, automatic({ maxMemorySize: maxMemory })).groups.map((nodes) => nodes.length);
    expect(sizes(3008)).toEqual([3]);
    expect([...sizes(1024)].sort()).toEqual([1, 2]); // both cuts move the same number of bytes
    expect(sizes(512)).toEqual([1, 1, 1]);
    expect(() => sizes(511)).toThrow(
      'maxMemorySize must be a whole number of MB from 512 to 10240, got 511: a function of a slice has 512 MB at least',
    );
  });

  test.each([0, 100, 20_000, 512.5])('refuses a limit of %d MB', (cap) => {
    expect(() => automatic({ maxMemorySize: cap })).toThrow(
      `maxMemorySize must be a whole number of MB from 512 to 10240, got ${cap}`,
    );
  });
});

describe('atTensors', () => {
  test('cuts after each tensor, whatever the order of the names', () => {
    const cut = slices(atTensors(['t2', 't0']));
    expect(cut.map(({ outputs }) => outputs.map(({ name }) => name))).toEqual([['t0'], ['t2'], ['y']]);
  });

  test('gives a slice only the nodes that its tensor needs', () => {
    const graph = {
      node: [
        node('Abs', ['x'], ['a']),
        node('Neg', ['x'], ['b']),
        node('Exp', ['b'], ['c']),
        node('Add', ['a', 'c'], ['y']),
      ],
      input: [value('x', FLOAT, [4])],
      output: [value('y', FLOAT)],
    };
    const [first, second] = slices(atTensors(['c']), analyzeModel(saveModel({ graph })));
    expect(first.nodes).toEqual([[1, 2]]);
    expect(second.nodes).toEqual([
      [0, 0],
      [3, 3],
    ]);
  });

  test.each([
    [['nowhere'], "got 'nowhere', which the model does not have"],
    [['x'], "got 'x', which is an input, constant or unused"],
    [['w1'], "got 'w1', which is an input, constant or unused"],
  ])('refuses the tensors %j', (names, reason) => {
    expect(() => slices(atTensors(names))).toThrow(
      `a tensor to cut at must be computed by a node from the model's inputs, ${reason}: list names with \`sliced-inference inspect --json\``,
    );
  });

  test('refuses a cut that leaves no nodes on one side', () => {
    const message = (name: string) =>
      `a cut at '${name}' must leave nodes on both sides, got none on one side: leave that tensor out`;
    expect(() => slices(atTensors(['y']))).toThrow(message('y'));
    expect(() => slices(atTensors(['t0', 't0']))).toThrow(message('t0'));
    expect(() => atTensors([])).toThrow(
      'the list of tensors to cut at must have one tensor or more, got none',
    );
  });

  test('refuses a cut at a float16 tensor', () => {
    const cast = (to: number) => [{ name: 'to', i: to, type: 2 }];
    const graph = {
      node: [
        node('Cast', ['x'], ['h'], cast(10)),
        node('Transpose', ['h'], ['t']),
        node('Cast', ['t'], ['y'], cast(1)),
      ],
      input: [value('x', FLOAT, [4])],
      output: [value('y', FLOAT)],
    };
    expect(() => slices(atTensors(['t']), analyzeModel(saveModel({ graph })))).toThrow(
      "a value that crosses a cut must arrive unchanged, got 't', which is of type float16: cut elsewhere",
    );
  });
});

describe('fromPlan', () => {
  const planFile = (slicer: Slicer): string => writtenPlan(compileAnalyzed(model, slicer)).file;

  test.each([count(3), atTensors(['a1']), count(12)])('cuts as the plan does: case %#', (slicer) => {
    const again = slices(fromPlanFile(planFile(slicer)));
    expect(again).toEqual(slices(slicer));
  });

  test('accepts a model with the same graph and different weights', () => {
    const tuned = mlp(4);
    const initializer = [...(tuned.graph.initializer ?? [])];
    initializer[2] = floats(
      'w1',
      [16, 16],
      Array.from({ length: 256 }, (_, index) => index),
    );
    const other = analyzeModel(saveModel({ graph: { ...tuned.graph, initializer } }));
    const before = writtenPlan(compileAnalyzed(model, count(4))).plan.slices;
    const after = writtenPlan(compileAnalyzed(other, fromPlanFile(planFile(count(4))))).plan.slices;
    expect(after.map(({ nodes }) => nodes)).toEqual(before.map(({ nodes }) => nodes));
    const changed = after.map(({ weights }, index) => weights?.sha256 !== before[index].weights?.sha256);
    expect(changed).toEqual([false, true, false, false]);
  });

  test('refuses a plan of another graph', () => {
    const plan = planFile(count(2));
    expect(() => slices(fromPlanFile(plan), analyzeModel(saveModel(mlp(3))))).toThrow(
      'must be made from the same graph as the model, got a plan of 12 nodes for a model of 9 nodes: make a new plan with `sliced-inference slice`',
    );
  });

  test('refuses a plan whose slices overlap or leave nodes out', () => {
    const file = planFile(count(2));
    const plan = JSON.parse(fs.readFileSync(file, 'utf8')) as { slices: { nodes: number[][] }[] };
    plan.slices[0].nodes = [[0, 1]];
    fs.writeFileSync(file, JSON.stringify(plan));
    expect(() => slices(fromPlanFile(file))).toThrow(
      // An Add may run in several slices, so the plan may leave it out; a Tanh may not.
      'the slices must contain each of the 11 nodes that run in one slice only, exactly once, got 8 nodes: make a new plan for this model',
    );
  });

  describe('of a graph with the same number of nodes', () => {
    const { graph } = mlp(4);
    const renamed = (before: string, after: string): ModelInit => {
      const rename = (names: readonly string[]) => names.map((name) => (name === before ? after : name));
      const nodes = graph.node.map((each) => ({
        ...each,
        input: rename(each.input),
        output: rename(each.output),
      }));
      return { graph: { ...graph, node: nodes, output: [value(rename(['y'])[0], FLOAT, ['batch', 16])] } };
    };
    const withOperator = (name: string, opType: string): ModelInit => ({
      graph: {
        ...graph,
        node: graph.node.map((each) => (each.name === name ? { ...each, opType } : each)),
      },
    });

    test.each<[string, ModelInit]>([
      ['a renamed tensor', renamed('t1', 'other')],
      ['a renamed output', renamed('y', 'other')],
      ['another operator', withOperator('Tanh_t1', 'Sigmoid')],
    ])('refuses a plan if the model has %s', (_, model_) => {
      const file = planFile(count(2));
      expect(() => slices(fromPlanFile(file), analyzeModel(saveModel(model_)))).toThrow(
        `plan '${file}' must be made from the same graph as the model, got a plan of other operators or names: ` +
          'make a new plan with `sliced-inference slice` and the same graph optimization',
      );
    });
  });

  test('makes the same groups and files of a graph that is not sorted', () => {
    // Each node uses the result of a later one, so the order of the file is the reverse of the order of execution.
    const sorted = mlp(4).graph;
    const unsorted = analyzeModel(saveModel({ graph: { ...sorted, node: [...sorted.node].reverse() } }));
    const original = compileAnalyzed(unsorted, count(3));
    const slicer = fromPlanFile(writtenPlan(original).file);
    expect(slicer.choose(unsorted.cuts).groups).toEqual(count(3).choose(unsorted.cuts).groups);
    expect(compileAnalyzed(unsorted, slicer)).toEqual(original);
  });
});
