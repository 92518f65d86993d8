/** A fixed number of slices shares memory, loads and work if the model allows that at a low price, and the fastest plan uses branches and bursts. */
import { type AnalyzedModel, analyzeModel } from '../../../lib/compile/analyze';
import { bestCut } from '../../../lib/plan/best-cut';
import { type Slicer, automatic, count } from '../../../lib/plan/slicers';
import { busyMs, memoryMb } from '../../../lib/plan/sizes/estimate';
import { sliceSizes } from '../../../lib/plan/sizes/slice-sizes';
import { uselessSlicesNote } from '../../../lib/plan/notes';
import { graphOf, nodesOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { type GraphInit, FLOAT, INT64, floats, saveModel, value } from '../../support/model-builder';
import { saveSparse, sparseModel } from '../../support/sparse-model';
import { WIDTH as TOWER_WIDTH, interleaved, tower, twoTowers } from '../../support/towers';

analyzeFast();

/** Convolutions on pictures, and a head of small tensors, which cuts would cross cheaply. */
function classifier(convolutions: number): GraphInit {
  const layers = Array.from({ length: convolutions }, (_, layer) => layer);
  const body = layers.map(
    (layer) =>
      `Conv ${layer === 0 ? 'x' : `r${layer - 1}`} w${layer} > c${layer}; Relu c${layer} > r${layer}`,
  );
  const head = 'Tanh h0 > h1; Abs h1 > h2; Neg h2 > h3; Sigmoid h3 > h4; Sqrt h4 > h5; Softmax h5 > y';
  return graphOf([...body, `GlobalAveragePool r${convolutions - 1} > h0`, head].join('; '), {
    initializer: layers.map((layer) => floats(`w${layer}`, [16, 16, 3, 3])),
    input: [value('x', FLOAT, [1, 16, 128, 128])],
  });
}

/** A table of 30,522 rows, of which a request picks 128, and as many products. */
function embedded(products: number): string {
  const layers = Array.from({ length: products }, (_, layer) => layer);
  const nodes = layers.map(
    (layer) => `MatMul h${layer} w${layer} > m${layer}; Relu m${layer} > h${layer + 1}`,
  );
  const graph = graphOf(['Gather table ids > h0', ...nodes].join('; '), {
    input: [value('ids', INT64, [1, 128])],
    output: [value(`h${products}`, FLOAT)],
  });
  const weights = layers.map((layer) => [`w${layer}`, [384, 384]] as const);
  return saveSparse(graph, new Map<string, readonly number[]>([['table', [30_522, 384]], ...weights]));
}

/** Two towers whose nodes take turns, and the sum of their results. */
function towers(first: number, second: number): GraphInit {
  const [a, b] = [tower('a', first, 'x', 'a_out'), tower('b', second, 'x', 'b_out')];
  const nodes = [...interleaved([a.nodes, b.nodes]), ...nodesOf('Add a_out b_out > y')];
  return graphOf(nodes, {
    initializer: [...a.weights, ...b.weights],
    input: [value('x', FLOAT, [1, TOWER_WIDTH])],
  });
}

/** Equal layers that compute on all rows of a table, which a request has or picks from the model's. */
function tabular(layers: number, rows: number, isPicked: boolean): string {
  const names = Array.from({ length: layers }, (_, layer) => layer);
  const nodes = names.map((at) => `MatMul h${at} w${at} > m${at}; Relu m${at} > h${at + 1}`);
  const graph = graphOf([...(isPicked ? ['Gather table ids > h0'] : []), ...nodes].join('; '), {
    input: [isPicked ? value('ids', INT64, [rows]) : value('h0', FLOAT, [rows, 512])],
    output: [value(`h${layers}`, FLOAT)],
  });
  const weights = names.map((at) => [`w${at}`, [512, 512]] as const);
  return saveSparse(graph, new Map([...(isPicked ? [['table', [rows, 512]] as const] : []), ...weights]));
}

/** VGG-19: 16 convolutions with 80 MB of weights, then dense layers, of which the first has 411 of 495 MB. */
function vgg19(): string {
  const channels = [64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512, 512, 512, 512, 512];
  const pooled = [1, 3, 7, 11, 15];
  const weights = new Map<string, readonly number[]>();
  const convolutions = channels.map((own, at) => {
    weights.set(`w${at}`, [own, channels[at - 1] ?? 3, 3, 3]);
    const [to, rest] = pooled.includes(at)
      ? [`q${at}`, `; MaxPool q${at} > h${at + 1} kernel_shape=[2,2] strides=[2,2]`]
      : [`h${at + 1}`, ''];
    return `Conv h${at} w${at} > c${at} pads=[1,1,1,1]; Relu c${at} > ${to}${rest}`;
  });
  const head =
    'Flatten h16 > f; MatMul f d0 > g0; Relu g0 > e0; MatMul e0 d1 > g1; Relu g1 > e1; MatMul e1 d2 > y';
  const dense = [25_088, 4096, 4096, 1000];
  dense.slice(1).forEach((columns, at) => weights.set(`d${at}`, [dense[at], columns]));
  const input = [value('h0', FLOAT, [1, 3, 224, 224])];
  return saveSparse(graphOf([...convolutions, head].join('; '), { input }), weights);
}

const graph = (init: GraphInit): AnalyzedModel => analyzeModel(saveModel({ graph: init }));

function cutOf({ dataflow, cuts }: AnalyzedModel, slices: number | Slicer) {
  const cut = bestCut(dataflow, cuts, typeof slices === 'number' ? count(slices) : slices);
  const sizes = sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs);
  const total = sizes.reduce((sum, { coreSeconds }) => sum + coreSeconds, 0);
  return { ...cut, sizes, work: sizes.map(({ coreSeconds }) => coreSeconds / total) };
}

describe('the best cut into a number of slices', () => {
  test.each<[string, () => AnalyzedModel, number]>([
    ['a classifier whose last tensors are small', () => graph(classifier(12)), 4],
    ['layers behind a large table of embeddings', () => analyzeModel(embedded(48)), 8],
    ['branches of different sizes', () => graph(towers(9, 3)), 4],
  ])('shares the work of %s', (_, analyze, slices) => {
    const { work } = cutOf(analyze(), slices);
    expect(work).toHaveLength(slices);
    expect([work, Math.min(...work) >= 0.4 / slices]).toEqual([work, true]);
    expect([work, Math.max(...work) <= 1.6 / slices]).toEqual([work, true]);
  });

  test('makes the largest function as small as possible before it looks at anything else', () => {
    const { sizes } = cutOf(analyzeModel(sparseModel(8)), 4);
    const least = memoryMb(sizes[0]);
    expect(sizes.map(memoryMb)).toEqual([least, least, least, least]);
  });

  test.each([
    [2, false],
    [3, false],
    [2, true],
    [4, true],
  ])(
    'makes no slice of one node to save memory, with %i slices of layers on 100,000 rows',
    (slices, isPicked) => {
      const { sizes, work } = cutOf(analyzeModel(tabular(80, 100_000, isPicked)), slices);
      expect([work, Math.min(...work) >= 0.5 / slices]).toEqual([work, true]);
      // A cut before the last node would save a seventh of it.
      expect(Math.max(...sizes.map(memoryMb))).toBeLessThan(1800);
    },
  );

  test('moves few bytes if more slices of VGG-19 make its largest function no smaller', () => {
    const analyzed = analyzeModel(vgg19());
    const [four, seven] = [4, 7].map((slices) => cutOf(analyzed, slices).sizes);
    const model = analyzed.cuts.costs.model();
    const memory = (sizes: typeof four) => Math.max(...sizes.map(memoryMb));
    const busy = (sizes: typeof four) => Math.max(...sizes.map((size) => busyMs(size, model)));
    const moved = (sizes: typeof four) =>
      sizes.reduce((sum, size) => sum + size.readBytes + size.writeBytes, 0);
    expect(memory(seven)).toBe(memory(four));
    expect(busy(seven) / busy(four)).toBeCloseTo(1, 4);
    expect(Math.max(...four.map(({ weightBytes }) => weightBytes))).toBe(25_088 * 4096 * 4);
    // Cuts between convolutions cross up to 12.8 MB.
    expect(moved(seven) - moved(four)).toBeLessThan(200_000);
    expect(uselessSlicesNote(four)).toBeUndefined();
    expect(uselessSlicesNote(seven)).toMatch(
      /^slices 3, 5 each have at most 1 % of the weights .* for \d+ KB of tensors: use 5 slices$/,
    );
  });

  const { nodes: layers, weights } = tower('t', 400, 'x', 'y');
  const deep = graph(graphOf(layers, { initializer: weights, input: [value('x', FLOAT, [1, TOWER_WIDTH])] }));

  test.each([1, 2, 129, 400])('cuts 400 layers into exactly %i slices, twice the same', (slices) => {
    const nodes = (): number[] => cutOf(deep, slices).groups.map((own) => own.length);
    const first = nodes();
    expect(first).toHaveLength(slices);
    expect(Math.max(...first) <= Math.ceil((2 * 1.5 * 400) / slices)).toBe(true);
    expect(nodes()).toEqual(first);
  });
});

test('the fastest plan has no branches that need more slices than allowed', () => {
  const { dataflow, cuts } = graph(twoTowers());
  const { groups } = bestCut(dataflow, cuts, automatic({ minimize: 'latency', maxSlices: 2 }));
  expect(groups.length).toBeLessThanOrEqual(2);
});

// As many bytes as BERT-large, and two matrices of 484 MiB: a sandbox receives 300 MiB in a burst, and then 75 MiB/s.
test.each([
  [78, 2048, 256],
  [2, 11_264, 484],
])('the fastest cold plan of %i layers of width %i has slices of at most %i MiB', (products, width, most) => {
  const slicer = automatic({ minimize: 'latency', temperature: 'cold' });
  const { sizes } = cutOf(analyzeModel(sparseModel(products, width)), slicer);
  expect(Math.max(...sizes.map(({ weightBytes }) => weightBytes)) / 2 ** 20).toBeLessThanOrEqual(most);
});
