/**
 * Which weights can be divided: quantized ones behind their scales, and biases of every shape. The others are refused with the reason.
 * `test/end-to-end/split-kernels.test.ts` divides each operator.
 */
import * as path from 'node:path';
import * as fc from 'fast-check';
import { saveModelOf } from '../../../bench/split/comparison';
import { analyzeModel } from '../../../lib/compile/analyze';
import { packedBytes } from '../../../lib/onnx/data-type';
import { partOfTensor } from '../../../lib/split/weights';
import { splitModel } from '../../../lib/split/rewrite';
import { type SplitAxis, evenParts, rangesOf } from '../../../lib/split/split';
import { type Splittable, splitInto, waysToSplit } from '../../../lib/split/splittable';
import { seededRandom } from '../../../local/seeded-random';
import { addSpecialValues } from '../../../local/special-values';
import type { TensorDataType } from '../../../contract/tensors';
import {
  type ModelInit,
  type TensorInit,
  BFLOAT16,
  BOOL,
  FLOAT,
  FLOAT16,
  INT64,
  STRING,
  UINT8,
  attribute,
  floats,
  modelOf,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';
import { expectSameBits, runWhole } from '../../support/run-slices';
import { float32, int64 } from '../../support/tensors';

/** How the last operator of a small model can be split. */
function waysOf(init: ModelInit): readonly Splittable[] | string {
  const { subject } = analyzeModel(saveModel(init)).splitting;
  const { nodes } = subject.model.graph;
  return waysToSplit(subject, nodes[nodes.length - 1]);
}

/** Saves a model and the same model with every operator that has these columns, channels or rows in parts. @returns both paths */
function savedSplit(
  init: ModelInit,
  count: number,
  axis?: SplitAxis,
): { whole: string; parts: string; nodes: string[] } {
  const whole = saveModel(init);
  const { subject } = analyzeModel(whole).splitting;
  const splits = subject.model.graph.nodes.flatMap((node) => {
    const ways = waysToSplit(subject, node);
    if (typeof ways === 'string') return [];
    const way = axis === undefined ? ways[0] : ways.find((each) => each.axis === axis);
    return way === undefined ? [] : [splitInto(way, count)];
  });
  const { model } = splitModel(subject, splits);
  const parts = path.join(temporaryFolder(), 'parts.onnx');
  saveModelOf(model, parts);
  return { whole, parts, nodes: model.graph.nodes.map(({ opType }) => opType) };
}

const UINT4 = 21;
const OPSET_OF_BLOCKS = 21;

/** Bytes as they come, of a type with so many elements in each. */
function bytes(name: string, dims: readonly number[], dataType = UINT8, inEach = 1): TensorInit {
  const count = Math.ceil(dims.reduce((product, dim) => product * dim, 1) / inEach);
  return { name, dataType, dims, rawData: Uint8Array.from({ length: count }, (_, index) => index * 37) };
}

function dequantized(scales: readonly number[], attributes: object[], columns = 320): ModelInit {
  const nodes = [
    node('DequantizeLinear', ['q', 's', 'z'], ['w'], attributes),
    node('MatMul', ['x', 'w'], ['y']),
  ];
  const weights = [bytes('q', [64, columns], UINT4, 2), floats('s', scales), bytes('z', scales, UINT4, 2)];
  return modelOf(nodes, { x: [3, 64] }, weights, { irVersion: 10, opset: OPSET_OF_BLOCKS });
}

const isBlocked = (axis: number, size: number) => [
  attribute.int('axis', axis),
  attribute.int('block_size', size),
];

function inNBits(scales: readonly number[], weight: readonly number[], inputs: string[]): ModelInit {
  const sizes = Object.entries({ K: 64, N: 320, bits: 4, block_size: 32 });
  const attributes = sizes.map(([name, value]) => attribute.int(name, value));
  const product = { ...node('MatMulNBits', ['x', 'w', 's', ...inputs], ['y'], attributes) };
  const weights = [bytes('w', weight), floats('s', scales), bytes('z', [320]), floats('b', [320])];
  const opsetImport = ['', 'com.microsoft'].map((domain) => ({ domain, version: domain === '' ? 21 : 1 }));
  const used = weights.filter(({ name }) => product.input.includes(name));
  return modelOf([{ ...product, domain: 'com.microsoft' }], { x: [3, 64] }, used, { opsetImport });
}

const withBias = (dims: readonly number[]): ModelInit =>
  modelOf([node('Gemm', ['x', 'w', 'c'], ['y'])], { x: [3, 64] }, [
    floats('w', [64, 320]),
    floats('c', dims),
  ]);

const oldProduct = modelOf(
  [node('MatMul', ['x', 'w'], ['y'])],
  { x: [3, 64], w: [64, 320] },
  [floats('w', [64, 320])],
  { irVersion: 3, opset: 7 },
);

/** As in models of float16, whose weights are converted. */
const converted = modelOf(
  [node('Cast', ['h'], ['w'], [attribute.int('to', FLOAT)]), node('MatMul', ['x', 'w'], ['y'])],
  { x: [3, 64] },
  [bytes('h', [64, 320])],
);

const x = float32([3, 64]);

it.each<[string, ModelInit]>([
  ...[[], [1], [320], [1, 320], [3, 1], [3, 320], [1, 1]].map((dims): [string, ModelInit] => [
    `a Gemm with C of dims [${dims.join()}]`,
    withBias(dims),
  ]),
  ['a product of the oldest opset, whose weights are inputs too', oldProduct],
  ['a product with a weight of another type', converted],
  ['4 bits with one scale', dequantized([], [])],
  ['4 bits with a scale for each column', dequantized([320], [])],
  ['4 bits with a scale for each row', dequantized([64], [attribute.int('axis', 0)])],
  ['4 bits with scales for blocks of rows', dequantized([4, 320], isBlocked(0, 16))],
  ['MatMulNBits with scales of rank 1', inNBits([640], [320, 2, 16], ['z'])],
  ['MatMulNBits with scales of rank 2 and a bias', inNBits([320, 2], [320, 2, 16], ['', '', 'b'])],
])('%s in parts has the bits of the whole', async (_, init) => {
  const { whole, parts, nodes } = savedSplit(init, 3);
  expect(nodes).toContain('Concat');
  const feeds = new Map([['x', x]]);
  expectSameBits(await runWhole(parts, feeds), await runWhole(whole, feeds));
});

it('a table by rows answers each index, and refuses the ones that the whole table refuses', async () => {
  const ids = { ids: { type: INT64, dims: ['n'] } };
  const init = modelOf([node('Gather', ['w', 'ids'], ['y'])], ids, [floats('w', [100, 5])]);
  const { whole, parts } = savedSplit(init, 4, 'rows');
  const indices = Array.from({ length: 200 }, (_, index) => index - 100);
  const all = new Map([['ids', int64([200], indices)]]);
  expectSameBits(await runWhole(parts, all), await runWhole(whole, all));
  for (const outside of [-101, 100, 1e9]) {
    const feeds = new Map([['ids', int64([1], [outside])]]);
    for (const model of [whole, parts])
      await expect(runWhole(model, feeds)).rejects.toThrow('out of data bounds');
  }
});

it.each<[TensorDataType, number]>([
  ['float32', FLOAT],
  ['float64', 11],
  ['int8', 3],
  ['uint16', 4],
  ['int64', INT64],
  ['bool', BOOL],
])('a table of %s in parts keeps the bits of every element', async (dtype, dataType) => {
  const dims = [100, 64];
  const rawData = Uint8Array.from({ length: packedBytes(dataType, 6400) ?? 0 }, (_, at) =>
    dtype === 'bool' ? at % 2 : Math.imul(at, 2654435761) >>> 24,
  );
  addSpecialValues(dtype, rawData, 'all', 2, seededRandom(1));
  const init: ModelInit = {
    graph: {
      node: [node('Gather', ['w', 'ids'], ['y'])],
      initializer: [{ name: 'w', dataType, dims, rawData }],
      input: [value('ids', INT64, [4, 'n'])],
      output: [value('y', dataType)],
    },
  };
  const feeds = new Map([['ids', int64([4, 25], [...Array(100).keys()])]]);
  for (const axis of ['rows', 'columns'] as const) {
    const { whole, parts, nodes } = savedSplit(init, 4, axis);
    expect(nodes).toContain('Concat');
    expectSameBits(await runWhole(parts, feeds), await runWhole(whole, feeds));
  }
});

it('a table of one axis is split by rows', async () => {
  const ids = { ids: { type: INT64, dims: [2] } };
  const init = modelOf([node('Gather', ['w', 'ids'], ['y'])], ids, [floats('w', [100])]);
  expect(waysOf(init)).toMatchObject([{ axis: 'rows', length: 100 }]);
  const { whole, parts } = savedSplit(init, 3);
  const feeds = new Map([['ids', int64([2], [99, -70])]]);
  expectSameBits(await runWhole(parts, feeds), await runWhole(whole, feeds));
});

const groups = (channels: number | string, opset: number): ModelInit =>
  modelOf(
    [node('Conv', ['x', 'w'], ['y'], [attribute.int('group', 4)])],
    { x: [1, channels, 6, 6] },
    [floats('w', [64, 2, 3, 3])],
    { opset },
  );

/** Its result is cast, because some types cannot leave a model. */
function tableOf(dataType: number): ModelInit {
  const strings = Array.from({ length: 6400 }, () => Buffer.from('a'));
  const data = dataType === STRING ? { stringData: strings } : { rawData: new Uint8Array(12_800) };
  return {
    graph: {
      node: [node('Cast', ['t'], ['y'], [attribute.int('to', FLOAT)]), node('Gather', ['w', 'ids'], ['t'])],
      initializer: [{ name: 'w', dataType, dims: [100, 64], ...data }],
      input: [value('ids', INT64, [4])],
      output: [value('y', FLOAT)],
    },
  };
}

it.each<[string, ModelInit, string]>([
  [
    'a vector',
    modelOf([node('MatMul', ['x', 'w'], ['y'])], { x: [3, 64] }, [floats('w', [64])]),
    'has a weight without columns',
  ],
  [
    'a bias that is computed',
    modelOf([node('Gemm', ['x', 'w', 'c'], ['y'])], { x: [3, 64], c: [320] }, [floats('w', [64, 320])]),
    "has the input 'c' where the others have a weight",
  ],
  ['a weight with its blocks as rows', inNBits([640], [640, 16], ['z']), 'has a weight of 640 columns'],
  ['groups of an old opset', groups(8, 9), 'has groups, in a model of an opset below 10'],
  ['groups of unknown channels', groups('c', 17), 'has groups and an input of unknown channels'],
  ['blocks along columns', dequantized([64, 20], isBlocked(1, 16)), 'has blocks of scales along the axis'],
  ['an odd number of half bytes', dequantized([], [], 321), "has elements of less than a byte in 'q'"],
  ['a table of float16', tableOf(FLOAT16), 'is not split, because parts of float16 cannot cross a cut'],
  ['a table of bfloat16', tableOf(BFLOAT16), 'is not split, because parts of bfloat16 cannot cross a cut'],
  [
    'a table of texts',
    tableOf(STRING),
    'has a weight that is stored as texts or as numbers of variable length',
  ],
])('%s is refused', (_, init, reason) => {
  expect(waysOf(init)).toContain(reason);
});

it('the parts of a tensor have each of its bytes once', () => {
  const dims = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
  const cuts = fc.array(fc.nat(5), { maxLength: 4 });
  fc.assert(
    fc.property(dims, fc.nat(3), cuts, fc.constantFrom(1, 2, 7, 10), (sizes, at, ends, dataType) => {
      const axis = at % sizes.length;
      const width = packedBytes(dataType, 1) ?? 0;
      const byteLength = width * sizes.reduce((product, size) => product * size, 1);
      const data = { file: 0, offset: 100, length: byteLength };
      const tensor = { name: 'w', dataType, dims: sizes, byteLength, external: true, data };
      const bounds = [...new Set([0, ...ends.filter((end) => end < sizes[axis]), sizes[axis]])].sort();
      const seen: number[] = [];
      for (const range of rangesOf(bounds.slice(1).map((end, index) => end - bounds[index]))) {
        const { data: part } = partOfTensor(tensor, axis, range);
        const { runBytes, stepBytes } = 'runBytes' in part ? part : { runBytes: part.length, stepBytes: 0 };
        for (let byte = 0; byte < part.length; byte++)
          seen.push(part.offset + stepBytes * Math.floor(byte / runBytes) + (byte % runBytes));
      }
      expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: byteLength }, (_, byte) => 100 + byte));
    }),
  );
});

it('even parts have a multiple of columns or more each, and all columns together', () => {
  const lengths = fc.tuple(
    fc.integer({ min: 1, max: 3000 }),
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 64 }),
  );
  fc.assert(
    fc.property(lengths, ([length, count, multipleOf]) => {
      const parts = evenParts(length, count, multipleOf);
      if (parts === undefined) {
        expect(count * multipleOf).toBeGreaterThan(length);
        return;
      }
      expect(parts.reduce((sum, part) => sum + part, 0)).toBe(length);
      expect(Math.min(...parts)).toBeGreaterThanOrEqual(multipleOf);
      expect(parts.slice(0, -1).every((part) => part % multipleOf === 0)).toBe(true);
    }),
  );
});
