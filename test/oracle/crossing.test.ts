/** The bytes that cross each cut and that slices read and write, beside those of a run of ONNX Runtime whose values are all outputs. */
import { analyzeModel } from '../../lib/compile/analyze';
import { compileAnalyzed } from '../../lib/compile/compile';
import { type CutSpace, spacesOf } from '../../lib/plan/cuts/cuts';
import { mostSlices } from '../support/most-slices';
import { fromRuns } from '../../lib/plan/file/plan';
import { count } from '../../lib/plan/slicers';
import { analyzeFast } from '../support/inference/fast-analysis';
import { graphOf, nodesOf } from '../support/graph-text';
import {
  FLOAT,
  attribute,
  floats,
  int64s,
  mlp,
  node,
  saveModel,
  value,
  type ModelInit,
} from '../support/model-builder';
import { ensemble, twoTowers } from '../support/towers';
import { type Executed, Slices, executed } from './executed';

analyzeFast();

const x = value('x', FLOAT, [3, 8]);
const weights = [floats('w', [8, 16]), floats('v', [16, 8])];

/** Values whose sizes all differ, so that no two sums are the same by chance. */
const CHAIN = graphOf(
  'MatMul x w > a; Concat a x > b axis=1; ReduceSum b axes > c; MatMul a v > d; Concat c d > e axis=1; Abs e > y',
  { input: [x], initializer: [...weights, int64s('axes', [1])] },
);

const SKIPS = graphOf(
  `MatMul x w > a; Relu a > b; MatMul b v > c; Add c x > d; Concat d b > e axis=1; MatMul d w > f; Mul f a > g;
   Concat g e x > y axis=1`,
  { input: [x], initializer: weights },
);

const OUTPUTS = graphOf(
  'MatMul x w > a; Split a > b c axis=1; MatMul a v > d; Sub b c > e; Concat d e late > y axis=1',
  {
    input: [x, value('late', FLOAT, [3, 4])],
    output: ['y', 'a', 'e', 'b'].map((name) => value(name, FLOAT)),
    initializer: weights,
  },
);

/** A constant and what follows from it run in each slice; so does the expansion of a small tensor, which is larger than what it is made of. */
const REPEATED = graphOf(
  [
    node('Constant', [], ['k'], [attribute.tensor('value', floats('', [8]))]),
    ...nodesOf(
      `Tanh k > l; ReduceMean x > s axes=[0,1]; Unsqueeze s axis > u; Expand u tall > m; MatMul x w > a; Relu a > b;
       MatMul b v > c; Add c l > d; Mul d m > e; MatMul e w > f; Sigmoid f > g; MatMul g v > h; Mul h m > i; Add i l > y`,
    ),
  ],
  {
    input: [value('x', FLOAT, [64, 8])],
    initializer: [...weights, int64s('tall', [64, 8]), int64s('axis', [0, 1])],
  },
);

const three = [{ name: 'x', dims: [3, 8] }];
const tower = (name: string) => ({ name, dims: [1, 64] });
const cases: readonly (readonly [string, ModelInit, Parameters<typeof executed>[1]])[] = [
  ['a chain of values of many sizes', { graph: CHAIN, opset: 13 }, three],
  ['layers', mlp(4), [{ name: 'x', dims: [1, 16] }]],
  ['skip connections', { graph: SKIPS, opset: 13 }, three],
  ['several outputs', { graph: OUTPUTS, opset: 13 }, [...three, { name: 'late', dims: [3, 4] }]],
  ['branches', { graph: twoTowers() }, ['text', 'image'].map(tower)],
  ['a stem and branches', { graph: ensemble(3) }, [tower('x')]],
  ['values that are computed again', { graph: REPEATED, opset: 13 }, [{ name: 'x', dims: [64, 8] }]],
];

/** Indexes of nodes in the order of the space, each as a slice of its own. */
function everyCut({ dataflow, crossingBytes, legal }: CutSpace, model: Executed): [string, number, number][] {
  const slices = new Slices(
    model,
    dataflow.order.map((index) => [index]),
  );
  const cuts = Array.from({ length: dataflow.order.length - 1 }, (_, before) => before + 1);
  return cuts.map((cut) => [
    `cut ${cut}${legal.includes(cut) ? '' : ', not legal'}`,
    crossingBytes[cut],
    slices.crossingBytes(cut),
  ]);
}

test.each(cases)('%s: as many bytes cross each cut as in ONNX Runtime', async (_, init, feeds) => {
  const model = await executed(init, feeds);
  const { cuts } = analyzeModel(saveModel(init), { dimensions: sizesOf(init) });
  for (const space of spacesOf(cuts)) {
    const all = everyCut(space, model);
    expect(all.length).toBeGreaterThan(3);
    expect(all.map(([cut, planned]) => [cut, planned])).toEqual(
      all.map(([cut, , counted]) => [cut, counted]),
    );
  }
});

test.each(cases)('%s: slices read and write as many bytes as in ONNX Runtime', async (_, init, feeds) => {
  const model = await executed(init, feeds);
  const analyzed = analyzeModel(saveModel(init), { dimensions: sizesOf(init) });
  for (let number = 1; number <= Math.min(6, mostSlices(analyzed.cuts)); number++) {
    const { plan } = compileAnalyzed(analyzed, count(number));
    const slices = new Slices(
      model,
      plan.slices.map(({ nodes }) => fromRuns(nodes)),
    );
    expect(plan.slices.map(({ readBytes, writeBytes }) => [readBytes, writeBytes])).toEqual(
      plan.slices.map((__, slice) => [slices.readBytes(slice), slices.writeBytes(slice)]),
    );
  }
});

function sizesOf({ graph }: ModelInit): Record<string, number> {
  return JSON.stringify(graph.input).includes('"batch"') ? { batch: 1 } : {};
}

test('models have values that are computed again, and values that are not', () => {
  const { cuts } = analyzeModel(saveModel({ graph: REPEATED, opset: 13 }));
  expect(spacesOf(cuts).map(({ dataflow }) => dataflow.order.length)).toEqual([12, 13]);
});
