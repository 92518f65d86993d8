import { analyzeModel } from '../../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../../lib/compile/compile';
import { mostSlices } from '../../../support/most-slices';
import { atTensors, count, fromPlan, type Slicer } from '../../../../lib/plan/slicers';
import { graphOf } from '../../../support/graph-text';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import {
  type GraphInit,
  FLOAT,
  INT64,
  floats,
  int64s,
  saveModel,
  value,
} from '../../../support/model-builder';
import { expectSameBits, runSlices, runWhole } from '../../../support/run-slices';
import { float32, int64 } from '../../../support/tensors';
import { writtenPlan } from '../../../support/written-plan';

analyzeFast();

const LENGTH = 64;
const WIDTH = 32;

const betweenLayers = atTensors(['h0', 'h1', 'h2']);

/** Attention layers with a mask of LENGTH x LENGTH, which is computed once from a few ids and added in every layer. */
function masked(layers: number): GraphInit {
  const layer = (at: number): string => {
    const [input, result] = [at === 0 ? 'x' : `h${at - 1}`, at === layers - 1 ? 'y' : `h${at}`];
    return [
      `MatMul ${input} w${at} > q${at}; Transpose q${at} > k${at} perm=[1,0]; MatMul q${at} k${at} > score${at}`,
      `Add score${at} mask > masked${at}; Softmax masked${at} > weight${at}; MatMul weight${at} q${at} > ${result}`,
    ].join('; ');
  };
  const mask = [
    'Shape ids > shape; Gather shape one > length; Concat length length > square axis=0',
    'Equal ids zero > is_padding; Where is_padding lowest nothing > row; Expand row square > mask',
  ];
  const all = Array.from({ length: layers }, (_, at) => at);
  return graphOf([...mask, ...all.map(layer)].join('; '), {
    initializer: [
      int64s('one', [1]),
      int64s('zero', [0]),
      floats('lowest', [1], [-1e4]),
      floats('nothing', [1], [0]),
      ...all.map((at) => floats(`w${at}`, [WIDTH, WIDTH])),
    ],
    input: [value('ids', INT64, [1, 'length']), value('x', FLOAT, ['length', WIDTH])],
  });
}

const dimensions = { length: LENGTH };
const ids = Array.from({ length: LENGTH }, (_, at) => at % 5);
const feeds = new Map(Object.entries({ ids: int64([1, LENGTH], ids), x: float32([LENGTH, WIDTH]) }));

/** By slice: the names of what it reads. */
function inputsOf(graph: GraphInit, slicer: Slicer): string[][] {
  const { plan } = compileAnalyzed(analyzeModel(saveModel({ graph })), slicer);
  return plan.slices.map(({ inputs }) => inputs.map(({ name }) => name));
}

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
    const results = await runSlices(compileAnalyzed(analyzed, count(slices)), feeds);
    expectSameBits(results, await runWhole(file, feeds));
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
    for (const before of [analyzed, small]) {
      const now = before === small ? analyzed : small;
      const { plan } = writtenPlan(compileAnalyzed(before, count(3)));
      const again = compileAnalyzed(now, fromPlan(plan, 'plan.json'));
      expect(again.plan.slices.map(({ nodes }) => nodes)).toEqual(plan.slices.map(({ nodes }) => nodes));
      expect(again.plan.slices.map(({ inputs }) => inputs)).toEqual(plan.slices.map(({ inputs }) => inputs));
      expectSameBits(await runSlices(again, feeds), await runWhole(file, feeds));
    }
  });
});

const wide = (nodes: string, rest: Partial<GraphInit> = {}): GraphInit =>
  graphOf(nodes, {
    initializer: [int64s('shape', [64, 64]), floats('table', [64, 64])],
    input: [value('x', FLOAT, [1, 64])],
    ...rest,
  });
const USERS = 'Sigmoid wide > s; Mul s wide > y';
const expanded = `Tanh x > t; Expand t shape > wide; ${USERS}`;
const afterT = atTensors(['t', 's']);

test.each<[what: string, graph: GraphInit, slicer: Slicer, inputs: string[][]]>([
  ['in each slice that needs its result', wide(expanded), afterT, [['x'], ['t'], ['t', 's']]],
  [
    'in one slice only if its result is an output of the model',
    wide(expanded, { output: [value('y', FLOAT), value('wide', FLOAT)] }),
    count(4),
    [['x'], ['t'], ['wide'], ['wide', 's']],
  ],
  [
    'in one slice only if it takes longer than writing its result, as an Exp does',
    wide(`Tanh x > t; Expand t shape > e; Exp e > wide; ${USERS}`),
    afterT,
    [['x'], ['t'], ['wide', 's']],
  ],
  [
    'in one slice only if it needs a large constant, which several slices would have to store',
    wide(`Tanh x > t; Add t table > wide; ${USERS}`),
    count(4),
    [['x'], ['t'], ['wide'], ['wide', 's']],
  ],
])('a node that expands a small tensor runs %s', (_, graph, slicer, inputs) => {
  expect(inputsOf(graph, slicer)).toEqual(inputs);
});
