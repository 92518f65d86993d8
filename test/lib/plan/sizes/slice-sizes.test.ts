import * as fc from 'fast-check';
import { analyzeModel } from '../../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../../lib/compile/compile';
import type { SliceDraft } from '../../../../lib/plan/file/plan';
import { bestCut } from '../../../../lib/plan/best-cut';
import { count } from '../../../../lib/plan/slicers';
import { sizeOfRange } from '../../../../lib/plan/cuts/range-sizes';
import { split } from '../../../../lib/plan/search/cut-graph';
import { sliceSizes } from '../../../../lib/plan/sizes/slice-sizes';
import { readsOf, wireSlices } from '../../../../lib/plan/wiring/wiring';
import { graphOf } from '../../../support/graph-text';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { type GraphInit, FLOAT, INT64, floats, saveModel, value } from '../../../support/model-builder';
import { randomModel } from '../../../support/random-graph';
import { cases } from '../../../support/full-checks';

analyzeFast();

const TENSOR = 4 * 2 ** 20;
const REQUEST = -1;

/** The only slice of a model, unless so many are requested. */
function slicesOf(graph: GraphInit, slices = 1): readonly SliceDraft[] {
  return compileAnalyzed(analyzeModel(saveModel({ graph })), count(slices)).plan.slices;
}

test.each([
  ['all first nodes of the branches', 'a0 a1 a2 b0 b1 b2'],
  ['one branch after the other', 'a0 b0 a1 b1 a2 b2'],
])('sizes of slices count one branch at a time if the file has %s', (_, order) => {
  const branches = order
    .split(' ')
    .map((name) =>
      name.startsWith('a') ? `Mul x scale > ${name}` : `ReduceMean a${name[1]} > ${name} axes=[1]`,
    );
  const graph = graphOf([...branches, 'Sum b0 b1 b2 > y'].join('; '), {
    initializer: [floats('scale', [1])],
    input: [value('x', FLOAT, [1024, TENSOR / 4 / 1024])],
  });
  const [slice] = slicesOf(graph);
  expect(slice.activationBytes).toBeGreaterThanOrEqual(TENSOR);
  expect(slice.activationBytes).toBeLessThan(2 * TENSOR);
});

test.each<[picked: number, megabytes: number]>([
  [2, 116.6],
  [64, 131.9],
  [10_000, 141.4],
])(
  'sizes of slices expect only what Linux maps of a table if a request picks %i rows',
  (picked, megabytes) => {
    const rows = 100_000;
    const graph = graphOf('Gather table ids > y', {
      initializer: [floats('table', [rows, 64])],
      input: [value('ids', INT64, [picked])],
    });
    const [slice] = slicesOf(graph);
    expect(slice.weightBytes).toBe(rows * 64 * 4);
    expect((slice.peakMemoryBytes - slice.activationBytes - slice.writeBytes) / 1e6).toBeCloseTo(
      megabytes,
      0,
    );
  },
);

test('sizes of slices are those that the search for cuts compared, except for the order of ONNX Runtime', () => {
  fc.assert(
    fc.property(randomModel, fc.nat(1000), (init, seed) => {
      const { cuts } = analyzeModel(saveModel(init));
      const { legal } = cuts;
      const chosen = legal.filter((_, index) => ((seed >> (index % 10)) & 1) === 1);
      const space = { ...cuts, bytes: cuts.bytes.map((bytes) => 10_000 * bytes) };
      const boundaries = [0, ...chosen, cuts.dataflow.order.length];
      const believed = boundaries.slice(1).map((end, slice) => sizeOfRange(space, boundaries[slice], end));
      const groups = boundaries.slice(1).map((end, from) => cuts.dataflow.order.slice(boundaries[from], end));
      const wiring = wireSlices(cuts.dataflow, groups);
      const exact = sliceSizes(cuts.dataflow, wiring, space.bytes, space.costs);
      exact.forEach((size, slice) => {
        // Only the memory of activations depends on the order in which the nodes run.
        const { activationBytes, copiedBytes, largestBytes, gets, requestGets } = size;
        const { gets: fewest, requestGets: fewestOfRequest, ...rest } = believed[slice];
        expect({ ...rest, activationBytes, copiedBytes, largestBytes, gets, requestGets }).toMatchObject(
          size,
        );
        // The search does not know from which slices the tensors come.
        expect(fewest).toBeLessThanOrEqual(gets);
        expect(fewestOfRequest).toBeLessThanOrEqual(requestGets);
        const read = readsOf(wiring, slice);
        const sources = new Set(read.map(({ source }) => (source.from === 'slice' ? source.slice : REQUEST)));
        const [only] = [...sources];
        const written = only === REQUEST ? [] : wiring.slices[only]?.outputs;
        if (sources.size === 1 && written.length === read.length) expect(fewest).toBe(gets);
      });
    }),
    { numRuns: cases(20, 120) },
  );
});

test('the size of a slice does not depend on the plans that were sized before', () => {
  fc.assert(
    fc.property(randomModel, fc.array(fc.nat(1000), { minLength: 2, maxLength: 4 }), (init, seeds) => {
      const { cuts } = analyzeModel(saveModel(init));
      const { dataflow, bytes, costs, legal } = cuts;
      for (const seed of seeds) {
        const chosen = legal.filter((_, index) => ((seed >> (index % 10)) & 1) === 1);
        const wiring = wireSlices(dataflow, split(cuts, chosen));
        const alone = sliceSizes({ ...dataflow }, wiring, bytes, costs);
        expect(sliceSizes(dataflow, wiring, bytes, costs)).toEqual(alone);
      }
    }),
    { numRuns: cases(20, 120) },
  );
});

test('the last slice writes the results of all slices, and copies only its own from ONNX Runtime', () => {
  const graph = graphOf('Relu x > early; Tanh early > h; Abs h > y', {
    input: [value('x', FLOAT, [1, 1000])],
    output: [value('early', FLOAT), value('y', FLOAT)],
  });
  const { dataflow, cuts } = analyzeModel(saveModel({ graph }));
  const { wiring } = bestCut(dataflow, cuts, count(2));
  const sizes = sliceSizes(dataflow, wiring, cuts.bytes, cuts.costs);
  expect(sizes.at(-1)).toMatchObject({ writeBytes: 8000, outputBytes: 4000 });
});

test('memory is not kept for a later tensor of which ONNX Runtime does not know that it has the same size', () => {
  // `c` fits where `a` was, unless that memory is kept for `e`, which has the size of `a`.
  const times = (number: number, from: string, result: string): string =>
    `Concat ${Array<string>(number).fill(from).join(' ')} > ${result} axis=1`;
  const nodes = [
    'MaxPool x > p kernel_shape=[2,2] strides=[2,2]',
    times(8, 'p', 'a'),
    'ReduceMax a > b; Add p b > q',
    times(6, 'q', 'c'),
    'ReduceMax c > d; Add q d > r',
    times(8, 'r', 'e'),
    'ReduceMax e > y',
  ].join('; ');
  const activations = (sizes: readonly (string | number)[], dimensions: Record<string, number>): number => {
    const file = saveModel({ graph: graphOf(nodes, { input: [value('x', FLOAT, [1, 4, ...sizes])] }) });
    return compileAnalyzed(analyzeModel(file, { dimensions }), count(1)).plan.slices[0].activationBytes;
  };
  const [fixed, symbolic] = [
    activations([256, 256], {}),
    activations(['height', 'width'], { height: 256, width: 256 }),
  ];
  const bytesOfA = 32 * 128 * 128 * 4;
  expect(fixed - symbolic).toBeGreaterThanOrEqual(bytesOfA / 2);
});
