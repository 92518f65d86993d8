/** Operators are split if no cut keeps the limit of a slice without it, and never otherwise. */
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { analyzeModel } from '../../../lib/compile/analyze';
import { cutModel } from '../../../lib/compile/fit-by-splits';
import { compileAnalyzed, compileCut } from '../../../lib/compile/compile';
import type { SplitOptions } from '../../../lib/compile/splitting';
import { checkPlan } from '../../../lib/compile/files/read-plan';
import { planText } from '../../../lib/emit/write';
import { scheduleSlices } from '../../../lib/plan/schedule/schedule';
import { type Slicer, automatic, count, fromPlan, maxSliceSize } from '../../../lib/plan/slicers';
import {
  type NodeInit,
  BOOL,
  FLOAT,
  INT64,
  floats,
  int64s,
  modelOf,
  node,
  saveModel,
  value,
} from '../../support/model-builder';
import { expectSameBits, runSlices, runWhole } from '../../support/run-slices';
import { saveSparse } from '../../support/sparse-model';
import { float32, int64 } from '../../support/tensors';
import { writtenPlan } from '../../support/written-plan';

const KIB = 1024;

/** An embedding of 1,024 KiB, a layer of 16 KiB, and a projection to the vocabulary of 1,024 KiB with the transposed table. */
const init = modelOf(
  [
    node('Gather', ['table', 'ids'], ['embedded']),
    node('MatMul', ['embedded', 'layer'], ['hidden']),
    node('Relu', ['hidden'], ['active']),
    node('Transpose', ['table'], ['transposed']),
    node('MatMul', ['active', 'transposed'], ['y']),
  ],
  { ids: { type: INT64, dims: [2, 5] } },
  [floats('table', [4096, 64]), floats('layer', [64, 64])],
);
const file = saveModel(init);
const feeds = new Map([['ids', int64([2, 5], [0, 1, 2, 4095, -1, -4096, 7, 8, 9, 10])]]);

const compiled = (slicer: Slicer, splits: SplitOptions = {}) =>
  compileAnalyzed(analyzeModel(file, { splits }), slicer);
const small = maxSliceSize(300 * KIB);

it('splits the table and the projection, runs their parts side by side, and computes the same bits', async () => {
  const split = compiled(small);
  expect(split.plan.splits).toMatchObject([
    {
      operator: 'Gather',
      name: 'Gather_embedded',
      weight: 'table',
      axis: 'columns',
      weightBytes: 1024 * KIB,
    },
    { operator: 'MatMul', weight: 'table', axis: 'columns', mostThreads: 12 },
  ]);
  expect(Math.max(...split.plan.slices.map(({ weightBytes }) => weightBytes))).toBeLessThanOrEqual(300 * KIB);
  expect(scheduleSlices(split.plan).some(({ kind }) => kind === 'parallel')).toBe(true);
  expectSameBits(await runSlices(split, feeds), await runWhole(file, feeds));
});

it('numbers the nodes after the parts anew', () => {
  const { nodes } = cutModel(analyzeModel(file), small).analyzed.model.graph;
  expect(nodes.map(({ index }) => index)).toEqual([...nodes.keys()]);
});

it('splits nothing if a cut keeps the limit', () => {
  const { analyzed } = cutModel(analyzeModel(file), maxSliceSize(1041 * KIB));
  expect(analyzed.splitting.splits).toEqual([]);
  expect(compiled(count(3)).plan).not.toHaveProperty('splits');
});

it('cuts as a plan with splits does', () => {
  const { plan } = writtenPlan(compiled(small));
  const read = checkPlan(JSON.parse(planText(plan)), 'plan.json');
  expect(writtenPlan(compiled(fromPlan(read, 'plan.json'))).plan).toEqual(plan);
});

it('splits what the caller names, and computes the same bits', async () => {
  const split = compiled(count(5), { named: { table: 2, MatMul_hidden: 1 } });
  expect(split.plan.splits?.map(({ operator, parts }) => [operator, ...parts])).toEqual([
    ['Gather', 32, 32],
    ['MatMul', 2048, 2048],
  ]);
  expectSameBits(await runSlices(split, feeds), await runWhole(file, feeds));
});

it('splits an operator for a limit on memory, into parts that few threads still compute exactly', () => {
  const width = 16_384;
  const wide = saveSparse(
    modelOf([node('MatMul', ['x', 'w'], ['y'])], { x: [1, width] }).graph,
    new Map([['w', [width, width]]]),
  );
  const { plan } = compileCut(...cutOf(wide, automatic({ maxMemorySize: 1024 })));
  expect(plan.splits).toMatchObject([{ operator: 'MatMul', weightBytes: 4 * width ** 2 }]);
  expect(Math.max(...plan.slices.map(({ memoryMb }) => memoryMb))).toBeLessThanOrEqual(1024);
});

function cutOf(model: string, slicer: Slicer) {
  const { analyzed, cut } = cutModel(analyzeModel(model), slicer);
  return [analyzed, cut] as const;
}

it.each<[message: string, run: () => unknown]>([
  [
    "got 1 MiB for node 'Gather_embedded' (Gather), which may not be split: raise the slice size to at least 1 MiB, or allow to split 'Gather_embedded'",
    () => compiled(small, { named: { table: 1 } }),
  ],
  ['(Gather), which may not be split', () => compiled(small, { others: false })],
  [
    "got 16384 bytes for node 'MatMul_hidden' (MatMul), which cannot have more parts with the same bits: raise",
    () => compiled(maxSliceSize(12 * KIB)),
  ],
  ["split 'table' must have 1 part or more, got 0", () => compiled(count(1), { named: { table: 0 } })],
  [
    "split 'tabel' must name a node or a weight of the model",
    () => compiled(count(1), { named: { tabel: 2 } }),
  ],
  [
    "split 'layer' must have at most 1 parts, got 2 parts of node 'MatMul_hidden' (MatMul)",
    () => compiled(count(1), { named: { layer: 2 } }),
  ],
  [
    "split 'Relu_active' must be of an operator that can be split, got node 'Relu_active' (Relu), which is an operator that is not split",
    () => compiled(count(1), { named: { Relu_active: 2 } }),
  ],
  [
    "a plan must have its own splits, got a split of 'Gather_embedded'",
    () => {
      const { plan } = writtenPlan(compiled(small));
      compiled(fromPlan(plan, 'plan.json'), { named: { table: 2 } });
    },
  ],
  ...[{ node: 99 }, { node: 1 }, { axis: 'channels' }, { parts: [64, 64] }, { parts: [63] }].map(
    (change): [string, () => unknown] => [
      'a split of the plan must be one that keeps the bits of the model',
      () => {
        const { plan } = writtenPlan(compiled(small));
        const [first, second] = plan.splits ?? [];
        compiled(
          fromPlan({ ...plan, splits: [{ ...first, ...change } as typeof first, second] }, 'plan.json'),
        );
      },
    ],
  ),
])('refuses with: %s', (message, run) => {
  expect(run).toThrow(message);
});

it('splits a heavy layer for cold runs that are to be fast, and not for warm ones', () => {
  const vocabulary = 262_144;
  const graph = modelOf([node('Tanh', ['x'], ['t']), node('MatMul', ['t', 'w'], ['y'])], {
    x: [1, 768],
  }).graph;
  const analyzed = analyzeModel(saveSparse(graph, new Map([['w', [768, vocabulary]]])));
  const splitsFor = (temperature: 'warm' | 'cold') =>
    cutModel(analyzed, automatic({ minimize: 'latency', temperature })).analyzed.splitting.splits;
  expect(splitsFor('cold')).toMatchObject([{ operator: 'MatMul' }]);
  expect(splitsFor('warm')).toEqual([]);
});

it('splits nothing that a split would not make fit', () => {
  const wide = modelOf([node('MatMul', ['x', 'w'], ['y'])], { x: [200_000, 16] }, [floats('w', [16, 4096])]);
  const analyzed = analyzeModel(saveModel(wide));
  expect(() => cutModel(analyzed, automatic({ maxMemorySize: 1024 }))).toThrow(
    "for node 'MatMul_y' (MatMul)",
  );
});

it('finds a weight behind a few constants, and refuses a long way to it at once', () => {
  const chain = (length: number) => {
    const names = Array.from({ length: length + 1 }, (_, index) => (index === 0 ? 'w' : `w${index}`));
    const nodes = names.slice(1).map((name, index) => node('Identity', [names[index]], [name]));
    const product = node('MatMul', ['x', names[length]], ['y']);
    return analyzeModel(saveModel(modelOf([...nodes, product], { x: [1, 64] }, [floats('w', [64, 1024])])));
  };
  const limit = maxSliceSize(200 * KIB);
  expect(cutModel(chain(3), limit).analyzed.splitting.splits).toHaveLength(1);
  expect(() => cutModel(chain(300), limit)).toThrow('is more than 16 constants away from its weight');
});

it('an unrolled network keeps each part of a weight in one slice for all its steps', async () => {
  const steps = 8;
  const indices = Array.from({ length: steps }, (_, step) => step);
  const nodes = indices.flatMap((step) => [
    node('Gather', ['x', `at${step}`], [`x${step}`]),
    node('MatMul', [`x${step}`, 'w'], [`in${step}`]),
    node('Add', [`in${step}`, step === 0 ? 'first' : `h${step - 1}`], [`s${step}`]),
    node('Mul', [`s${step}`, 'gate'], [`h${step}`]),
  ]);
  // The weight has 128 KiB, and what else a step needs 32 KiB.
  const weights = [floats('w', [64, 512]), floats('gate', [16, 512]), floats('first', [512])];
  const positions = indices.map((step) => int64s(`at${step}`, [step], []));
  const recurrent = saveModel(modelOf(nodes, { x: [steps, 16, 64] }, [...weights, ...positions]));
  const request = new Map([['x', float32([steps, 16, 64])]]);
  for (const kib of [110, 150]) {
    const split = compileAnalyzed(analyzeModel(recurrent), maxSliceSize(kib * KIB));
    expect(split.plan.splits).toHaveLength(steps);
    expect(split.plan.slices.length).toBeLessThan(5);
    expectSameBits(await runSlices(split, request), await runWhole(recurrent, request));
  }
});

it('parts of a weight that wait for each other stay in their order', async () => {
  const names = ['x', 'a', 'b', 'y'];
  const chain = names
    .slice(1)
    .flatMap((name, at) => [
      node('MatMul', [names[at], 'w'], [`${name}0`]),
      node('Tanh', [`${name}0`], [name]),
    ]);
  const model = saveModel(modelOf(chain, { x: [1, 256] }, [floats('w', [256, 256])]));
  const split = compileAnalyzed(analyzeModel(model), maxSliceSize(140 * KIB));
  expect(split.plan.splits).toHaveLength(3);
  const request = new Map([['x', float32([1, 256])]]);
  expectSameBits(await runSlices(split, request), await runWhole(model, request));
});

it('names a limit with which the plan works, if the smallest parts of a layer do not fit', () => {
  const model = saveModel(
    modelOf([node('MatMul', ['x', 'v'], ['h']), node('MatMul', ['h', 'w'], ['y'])], { x: [1, 64] }, [
      floats('v', [64, 400]),
      floats('w', [400, 640]),
    ]),
  );
  const planned = (kib: number) => compileAnalyzed(analyzeModel(model), maxSliceSize(kib * KIB)).plan;
  expect(() => planned(10)).toThrow(
    "got 102400 bytes for node 'MatMul_h' (MatMul), which has 20480 bytes in 5 parts, and more would have other bits: raise the slice size to at least 128000 bytes",
  );
  expect(planned(125).splits).toHaveLength(1);
});

/** Reads the product, in two branches that each define one of these names. */
const bodies = (names: readonly string[]) => {
  const graphs = names.map((name) => ({
    name,
    node: [node('Relu', ['y'], [name]), node('Relu', [name], [`of ${name}`])],
    output: [value(`of ${name}`, FLOAT)],
  }));
  const [then, other] = graphs;
  return node(
    'If',
    ['flag'],
    ['z'],
    [
      { name: 'then_branch', g: then, type: 5 },
      { name: 'else_branch', g: other, type: 5 },
    ],
  );
};

it.each<[string, string, NodeInit]>([
  ['nodes', '', { ...node('Relu', ['y'], ['z']), name: 'Concat for y' }],
  ['nodes', 'first', { ...node('Relu', ['y'], ['z']), name: 'first for y[0:256]' }],
  ['values in bodies', '', bodies(['y[0:256]', 'w[1:0:256]'])],
])('parts get other names than %s have already', async (_, name, user) => {
  const product = { ...node('MatMul', ['x', 'w'], ['y']), name };
  const inputs = { x: [1, 64], flag: { type: BOOL, dims: [] } };
  const model = saveModel(modelOf([product, user], inputs, [floats('w', [64, 512])]));
  const split = compileAnalyzed(analyzeModel(model), maxSliceSize(70 * KIB));
  expect(split.plan.splits).toHaveLength(1);
  const flag: RawTensor = { dtype: 'bool', shape: [], bytes: Uint8Array.of(1) };
  const request = new Map<string, RawTensor>([
    ['x', float32([1, 64])],
    ['flag', flag],
  ]);
  expectSameBits(await runSlices(split, request), await runWhole(model, request));
});
