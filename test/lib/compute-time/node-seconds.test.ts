/** The formulas of each family, against values computed by hand from the rates of the reference processor. */
import { nodeSeconds } from '../../../lib/compute-time/node-seconds';
import {
  BANDWIDTH,
  CONVOLUTION_OVERHEAD,
  DEPTHWISE_RATE,
  ELEMENT_NS,
  INPUT_ELEMENT_NS,
  NODE_OVERHEAD,
  PRODUCT_RATE,
  ROW_NS,
} from '../../../lib/compute-time/reference-processor';
import { parseModel } from '../../../lib/onnx/parse';
import { graphOf, nodesOf } from '../../support/graph-text';
import {
  type GraphInit,
  type ModelInit,
  BOOL,
  FLOAT,
  attribute,
  callOf,
  choice,
  functionsOf,
  node,
  saveModel,
  value,
} from '../../support/model-builder';
import { typedNode } from '../../support/typed-node';

const close = (seconds: number, expected: number): void => {
  expect(seconds / expected).toBeCloseTo(1, 9);
};

const product = (rows: number, inner: number, columns: number, rate: number = PRODUCT_RATE.float32): number =>
  (2 * rows * inner * columns) / rate;
const packed = (elements: number, bytes = 4): number => (bytes * elements) / BANDWIDTH.packing;
const moved = (elements: number, bytes = 4): number => (bytes * elements) / BANDWIDTH.elementwise;
const elements = (count: number, nanoseconds: number): number => count * nanoseconds * 1e-9;

// 120 rows and 768 columns are whole tiles of 12 x 16.
const MATMUL = product(120, 768, 768) + packed(768 * 768) + moved(2 * 120 * 768);

test.each<[what: string, node: string, seconds: number]>([
  ['two operations for each multiplication', 'MatMul 1x120x768 768x768 -> 1x120x768', MATMUL],
  [
    'a batch of right matrices one by one',
    'MatMul 10x12x64 10x64x16 -> 10x12x16',
    10 * (product(12, 64, 16) + packed(64 * 16) + moved(12 * 64 + 12 * 16)),
  ],
  [
    'the time to read the weights for one row',
    'MatMul 1x512 512x1024 -> 1x1024',
    (4 * 512 * 1024) / BANDWIDTH.weights + moved(512 + 1024),
  ],
  [
    'the rate of int8',
    'MatMulInteger u8:120x768 i8:768x768 -> i32:120x768',
    product(120, 768, 768, PRODUCT_RATE.int8) + packed(768 * 768, 1) + moved(120 * 768, 1 + 4),
  ],
  [
    'the batch of an equation: 3 products of 12 x 64 by 64 x 16',
    'Einsum 1x3x12x64 1x3x16x64 -> 1x3x12x16',
    3 * (product(12, 64, 16) + packed(64 * 16) + moved(12 * 64 + 12 * 16)),
  ],
  [
    'a product over windows that are copied',
    'Conv 1x8x16x16 24x8x3x3 -> 1x24x16x16',
    CONVOLUTION_OVERHEAD +
      product(24, 72, 256) +
      packed(72 * 256) +
      (4 * 72 * 256) / BANDWIDTH.windows +
      moved(256 * (8 + 24)),
  ],
  [
    'one channel at a time when it is depthwise',
    'Conv 1x8x16x16 8x1x3x3 -> 1x8x16x16',
    CONVOLUTION_OVERHEAD + (2 * 9 * 8 * 256) / DEPTHWISE_RATE.dense + moved(2 * 8 * 256),
  ],
  [
    'a window for each input',
    'ConvTranspose 1x8x4x4 8x6x2x2 -> 1x6x8x8',
    CONVOLUTION_OVERHEAD +
      product(8, 16, 6 * 4) +
      (4 * 16 * 6 * 4) / BANDWIDTH.stridedWindows +
      moved(8 * 16 + 6 * 64),
  ],
  [
    // 10 positions are one tile of 12 rows.
    'the weights of the state in each step',
    'LSTM 10x1x32 1x128x32 1x128x32 -> 10x1x1x32',
    product(12, 32, 128) +
      packed(32 * 128) +
      (10 * 4 * 32 * 128) / BANDWIDTH.weights +
      elements(10 * 32 * 5, ELEMENT_NS.vectorized) +
      moved(10 * 32),
  ],
  [
    'two products and a softmax',
    'com.microsoft:MultiHeadAttention 1x24x64 1x24x64 1x24x64 -> 1x24x64',
    product(24, 64, 32) +
      packed(64 * 24) +
      elements(24 * 24, INPUT_ELEMENT_NS.softmax) +
      product(24, 24, 64) +
      packed(24 * 64) +
      (4 * 4 * 24 * 64) / BANDWIDTH.copy,
  ],
  ['its bytes, which take longer than its elements', 'Add 10x100 -> 10x100', moved(2000)],
  ['its elements', 'Div 10x100 -> 10x100', elements(1000, ELEMENT_NS.division)],
  ['its elements', 'Erf 10x100 -> 10x100', elements(1000, ELEMENT_NS.vectorized)],
  ['the bytes that it writes twice', 'Concat 10x100 -> 100x10', (2 * 4 * 1000) / BANDWIDTH.copy],
  ['the bytes that it writes twice', 'Transpose 10x100 -> 100x10', (2 * 4 * 1000) / BANDWIDTH.gather],
  ['its rows', 'Softmax 10x100 -> 10x100', elements(1000, INPUT_ELEMENT_NS.softmax) + elements(10, ROW_NS)],
  ['what it reads', 'MaxPool 1x8x10x10 -> 1x8x5x5', elements(800, INPUT_ELEMENT_NS.pooling)],
  ['its bytes', 'some.domain:Mystery 1000 -> 500', moved(1500)],
])('counts %s: %s', (_, text, seconds) => {
  const { model, types } = typedNode(text);
  close(nodeSeconds(model, types)[0], NODE_OVERHEAD + seconds);
});

/** Seconds of the first node of a model whose values are floats of this shape, but for a scalar `c`. */
function secondsOf(
  graph: GraphInit,
  shape: readonly (number | string)[] = [10],
  rest: Partial<ModelInit> = {},
) {
  const model = parseModel(saveModel({ graph, ...rest }));
  const types = model.graph.values.map(({ name }) =>
    name === 'c' ? { dtype: 'bool', shape: [] } : { dtype: 'float32', shape },
  );
  return nodeSeconds(model, types)[0];
}

test('counts half of the nodes of both branches of an If', () => {
  const input = [value('c', BOOL, []), value('x', FLOAT, [10])];
  const graph = graphOf([choice('c', 'y', nodesOf('Relu x > r; Abs r > b'))], { input });
  close(secondsOf(graph), 3 * NODE_OVERHEAD + (1 + 40) / BANDWIDTH.copy);
});

test('counts a pass for each iteration that a Loop had, with copies of what it carries', () => {
  const body = {
    node: nodesOf('Abs a > b'),
    input: ['i', 'go', 'a'].map((name) => value(name)),
    output: ['go', 'b'].map((name) => value(name)),
  };
  const loop = node('Loop', ['', '', 'x'], ['y'], [attribute.graph('body', body)]);
  const model = parseModel(saveModel({ graph: graphOf([loop]) }));
  const types = model.graph.values.map(() => ({ dtype: 'float32', shape: [10] }));
  const [seconds] = nodeSeconds(model, types, { iterations: [5] });
  close(seconds, NODE_OVERHEAD + 5 * NODE_OVERHEAD + (80 + 4 * 2 * 40) / BANDWIDTH.copy);
});

test('counts the nodes of a local function, also of the functions that it calls', () => {
  const functions = functionsOf({
    Outer: [callOf('Inner', ['a'], ['t']), ...nodesOf('Abs t > b')],
    Inner: nodesOf('Relu a > t; Neg t > b'),
  });
  const graph = graphOf([callOf('Outer', ['x'], ['y'])]);
  close(secondsOf(graph, [10], functions), 4 * NODE_OVERHEAD + 80 / BANDWIDTH.copy);
});

test('counts unknown sizes as 1', () => {
  close(secondsOf(graphOf('Relu x > y'), ['n', 10]), NODE_OVERHEAD + moved(20));
});
