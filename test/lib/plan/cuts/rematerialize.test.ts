import { analyzeModel } from '../../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../../lib/compile/compile';
import { mostSlices } from '../../../../lib/plan/cuts/cuts';
import { atTensors, count, maxSliceSize, type Slicer } from '../../../../lib/plan/slicers';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { fromPlanFile } from '../../../support/plan-file';
import {
  type GraphInit,
  type NodeInit,
  BOOL,
  FLOAT,
  FLOAT16,
  INT64,
  attribute,
  floats,
  int64s,
  node,
  saveModel,
  value,
} from '../../../support/model-builder';
import { expectSameBits, runSlices, runWhole } from '../../../support/run-slices';
import { writtenPlan } from '../../../support/written-plan';

analyzeFast();

const LENGTH = 64;
const WIDTH = 32;

const betweenLayers = atTensors(['h0', 'h1', 'h2']);

/** Attention layers with a mask of LENGTH x LENGTH, which is computed once from a few ids and added in every layer. */
function masked(layers: number): GraphInit {
  const nodes: NodeInit[] = [
    node('Shape', ['ids'], ['shape']),
    node('Gather', ['shape', 'one'], ['length']),
    node('Concat', ['length', 'length'], ['square'], [attribute.int('axis', 0)]),
    node('Equal', ['ids', 'zero'], ['is_padding']),
    node('Where', ['is_padding', 'lowest', 'nothing'], ['row']),
    node('Expand', ['row', 'square'], ['mask']),
  ];
  const initializer = [
    int64s('one', [1]),
    int64s('zero', [0]),
    floats('lowest', [1], [-1e4]),
    floats('nothing', [1], [0]),
  ];
  for (let layer = 0; layer < layers; layer++) {
    const input = layer === 0 ? 'x' : `h${layer - 1}`;
    initializer.push(floats(`w${layer}`, [WIDTH, WIDTH]));
    nodes.push(
      node('MatMul', [input, `w${layer}`], [`q${layer}`]),
      node('Transpose', [`q${layer}`], [`k${layer}`], [attribute.ints('perm', [1, 0])]),
      node('MatMul', [`q${layer}`, `k${layer}`], [`score${layer}`]),
      node('Add', [`score${layer}`, 'mask'], [`masked${layer}`]),
      node('Softmax', [`masked${layer}`], [`weight${layer}`]),
      node('MatMul', [`weight${layer}`, `q${layer}`], [layer === layers - 1 ? 'y' : `h${layer}`]),
    );
  }
  return {
    node: nodes,
    initializer,
    input: [value('ids', INT64, [1, 'length']), value('x', FLOAT, ['length', WIDTH])],
    output: [value('y', FLOAT)],
  };
}

const dimensions = { length: LENGTH };
const feeds = new Map([
  [
    'ids',
    {
      dtype: 'int64' as const,
      shape: [1, LENGTH],
      bytes: new Uint8Array(BigInt64Array.from({ length: LENGTH }, (_, at) => BigInt(at % 5)).buffer),
    },
  ],
  [
    'x',
    {
      dtype: 'float32' as const,
      shape: [LENGTH, WIDTH],
      bytes: new Uint8Array(Float32Array.from({ length: LENGTH * WIDTH }, (_, at) => Math.sin(at)).buffer),
    },
  ],
]);

describe('a mask that is computed from a few ids', () => {
  const file = saveModel({ graph: masked(4) });
  const analyzed = analyzeModel(file, { dimensions });

  test('does not cross cuts: each slice computes it from the ids', () => {
    const { plan } = compileAnalyzed(analyzed, betweenLayers);
    for (const { inputs } of plan.slices) {
      expect(inputs.map(({ name }) => name)).not.toContain('mask');
      expect(inputs).toContainEqual(expect.objectContaining({ name: 'ids', source: { from: 'request' } }));
    }
    // The hidden state and the ids, instead of 16 KiB of mask.
    const [, second] = plan.slices;
    expect(second.readBytes).toBe(LENGTH * WIDTH * 4 + LENGTH * 8);
  });

  test.each([2, 4, 12, 30])('leaves the results unchanged in %i slices', async (slices) => {
    expectSameBits(
      await runSlices(compileAnalyzed(analyzed, count(slices)), feeds),
      await runWhole(file, feeds),
    );
  });

  test('counts as memory of each slice that computes it', () => {
    const [first, second] = compileAnalyzed(analyzed, betweenLayers).plan.slices;
    const mask = LENGTH * LENGTH * 4;
    expect(first.activationBytes).toBeGreaterThan(mask);
    expect(second.activationBytes).toBeGreaterThan(mask);
    expect(second.weightBytes).toBeLessThan(mask);
  });

  test('crosses cuts if the planned sizes make it no larger than the ids', () => {
    const { plan } = compileAnalyzed(analyzeModel(file, { dimensions: { length: 1 } }), betweenLayers);
    const read = plan.slices.flatMap(({ inputs }) => inputs.map(({ name }) => name));
    expect(read).toContain('mask');
  });

  test('crosses cuts if the caller cuts at it or requests more slices than are otherwise possible', () => {
    const [, second] = compileAnalyzed(analyzed, atTensors(['mask'])).plan.slices;
    expect(second.inputs.map(({ name }) => name)).toEqual(['x', 'mask']);
    const most = mostSlices(analyzed.cuts);
    expect(most).toBe(analyzed.dataflow.order.length);
    expect(compileAnalyzed(analyzed, count(most)).plan.slices).toHaveLength(most);
  });

  test('is computed where an earlier plan computes it, whatever the planned sizes are now', async () => {
    const small = analyzeModel(file);
    for (const [before, now] of [
      [analyzed, small],
      [small, analyzed],
    ]) {
      const { plan, folder } = writtenPlan(compileAnalyzed(before, count(3)));
      const again = compileAnalyzed(now, fromPlanFile(`${folder}/plan.json`));
      expect(again.plan.slices.map(({ nodes }) => nodes)).toEqual(plan.slices.map(({ nodes }) => nodes));
      expect(again.plan.slices.map(({ inputs }) => inputs)).toEqual(plan.slices.map(({ inputs }) => inputs));
      expectSameBits(await runSlices(again, feeds), await runWhole(file, feeds));
    }
  });
});

test('a model output does not replace a smaller mask that is computed from it', () => {
  // An int64 table is an output; the mask computed from it takes an eighth of its bytes. The mask crosses the cuts.
  const graph: GraphInit = {
    node: [
      node('Sub', ['row', 'column'], ['distance']),
      node('LessOrEqual', ['distance', 'zero'], ['mask']),
      ...Array.from({ length: 4 }, (_, layer) => [
        node('MatMul', [layer === 0 ? 'x' : `h${layer - 1}`, `w${layer}`], [`q${layer}`]),
        node('Where', ['mask', `q${layer}`, 'nothing'], [`h${layer}`]),
      ]).flat(),
    ],
    initializer: [
      int64s('zero', [0]),
      floats('nothing', [1], [0]),
      ...Array.from({ length: 4 }, (_, layer) => floats(`w${layer}`, [LENGTH, LENGTH])),
    ],
    input: [
      value('row', INT64, [LENGTH, 1]),
      value('column', INT64, [1, LENGTH]),
      value('x', FLOAT, [LENGTH, LENGTH]),
    ],
    output: [value('h3', FLOAT), value('distance', INT64)],
  };
  const { plan } = compileAnalyzed(analyzeModel(saveModel({ graph })), betweenLayers);
  const [, ...later] = plan.slices;
  for (const { inputs } of later.slice(0, -1)) {
    expect(inputs.map(({ name }) => name)).not.toContain('distance');
  }
});

test('a value crosses a cut if recomputing it would exceed the size limit', () => {
  // To recompute the values that they read, both slices would need both tables.
  const graph: GraphInit = {
    node: [
      node('Gather', ['first', 'ids'], ['a']),
      node('Gather', ['second', 'ids'], ['b']),
      node('Tanh', ['a'], ['ta']),
      node('Tanh', ['ta'], ['tb']),
      node('Add', ['b', 'tb'], ['sum']),
      node('Tanh', ['sum'], ['y']),
    ],
    initializer: [floats('first', [64, 32]), floats('second', [64, 32])],
    input: [value('ids', INT64, [8192])],
    output: [value('y', FLOAT)],
  };
  const table = 64 * 32 * 4;
  const { plan } = compileAnalyzed(analyzeModel(saveModel({ graph })), maxSliceSize(table));
  expect(plan.slices.map(({ weightBytes }) => weightBytes)).toEqual([table, table]);
});

describe('a node that expands a small tensor', () => {
  const inputsOf = (graph: GraphInit, slices: number | Slicer = 2) => {
    const slicer = typeof slices === 'number' ? count(slices) : slices;
    const { plan } = compileAnalyzed(analyzeModel(saveModel({ graph })), slicer);
    return plan.slices.map(({ inputs }) => inputs.map(({ name }) => name));
  };
  const wide = (operator: string, extra: Partial<GraphInit> = {}): GraphInit => ({
    node: [
      node('Tanh', ['x'], ['t']),
      node(operator, ['t', 'shape'], ['wide']),
      node('Sigmoid', ['wide'], ['s']),
      node('Mul', ['s', 'wide'], ['y']),
    ],
    initializer: [int64s('shape', [64, 64])],
    input: [value('x', FLOAT, [1, 64])],
    output: [value('y', FLOAT)],
    ...extra,
  });

  test('runs in each slice that needs its result', () => {
    expect(inputsOf(wide('Expand'), atTensors(['t', 's']))).toEqual([['x'], ['t'], ['t', 's']]);
  });

  test('runs in one slice only if its result is an output of the model', () => {
    const graph = wide('Expand', { output: [value('y', FLOAT), value('wide', FLOAT)] });
    expect(inputsOf(graph, 4)).toEqual([['x'], ['t'], ['wide'], ['wide', 's']]);
  });

  test('runs in one slice only if it takes longer than writing its result', () => {
    // The same shapes, but an Exp is not cheap.
    const graph = wide('Expand');
    const nodes = [
      node('Tanh', ['x'], ['t']),
      node('Expand', ['t', 'shape'], ['e']),
      node('Exp', ['e'], ['wide']),
      node('Sigmoid', ['wide'], ['s']),
      node('Mul', ['s', 'wide'], ['y']),
    ];
    expect(inputsOf({ ...graph, node: nodes }, atTensors(['t', 's']))[2]).toContain('wide');
  });

  test('runs in one slice only if it needs a large constant, which several slices would have to store', () => {
    const graph: GraphInit = {
      node: [
        node('Tanh', ['x'], ['t']),
        node('Add', ['t', 'table'], ['wide']),
        node('Sigmoid', ['wide'], ['s']),
        node('Mul', ['s', 'wide'], ['y']),
      ],
      initializer: [floats('table', [64, 64])],
      input: [value('x', FLOAT, [1, 64])],
      output: [value('y', FLOAT)],
    };
    expect(inputsOf(graph, 4)).toEqual([['x'], ['t'], ['wide'], ['wide', 's']]);
  });

  test('runs in one slice only if its input cannot cross a cut', () => {
    // ONNX Runtime merges the casts before and after `c`.
    const graph: GraphInit = {
      node: [
        node('Cast', ['x'], ['c'], [attribute.int('to', INT64)]),
        node('Expand', ['c', 'shape'], ['wide']),
        node('Cast', ['c'], ['b'], [attribute.int('to', BOOL)]),
        node('Abs', ['wide'], ['a']),
        node('Mul', ['a', 'wide'], ['y']),
        node('Not', ['b'], ['z']),
      ],
      initializer: [int64s('shape', [64, 64])],
      input: [value('x', FLOAT, [1, 64])],
      output: [value('y', INT64), value('z', BOOL)],
    };
    const analyzed = analyzeModel(saveModel({ graph }));
    expect(analyzed.cuts.dataflow.order).toContain(1);
  });

  test('runs in one slice only in a model that computes in float16', () => {
    const graph: GraphInit = {
      node: [
        node('Tanh', ['x'], ['t']),
        node('Expand', ['t', 'shape'], ['wide']),
        node('Cast', ['wide'], ['c'], [attribute.int('to', FLOAT)]),
        node('Mul', ['c', 'c'], ['y']),
      ],
      initializer: [int64s('shape', [64, 64])],
      input: [value('x', FLOAT16, [1, 64])],
      output: [value('y', FLOAT)],
    };
    const { cuts, dataflow } = analyzeModel(saveModel({ graph }));
    expect(cuts.dataflow.order).toEqual(dataflow.order);
  });
});
