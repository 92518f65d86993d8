/** The formulas of each family, against values computed by hand from the rates of a vCPU of Lambda. */
import { nodeSeconds } from '../../../lib/compute-time/node-seconds';
import {
  BANDWIDTH,
  CONVOLUTION_OVERHEAD,
  CONVOLUTION_RATE,
  DEPTHWISE_RATE,
  ELEMENT_NS,
  INPUT_ELEMENT_NS,
  INTEGER_WINDOW_NS,
  NODE_OVERHEAD,
  PRODUCT_OVERHEAD,
  PRODUCT_RATE,
  ROW_NS,
} from '../../../lib/compute-time/lambda-vcpu';
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

/** A product of tensors of the run: the right matrix is packed first, in a small cache. */
const product = (rows: number, inner: number, columns: number, rate: number = PRODUCT_RATE.float32): number =>
  PRODUCT_OVERHEAD + (2 * rows * inner * columns) / rate;
const packed = (elements: number, bytes = 4): number => (bytes * elements) / BANDWIDTH.packing.small;
const elements = (count: number, nanoseconds: number): number => count * nanoseconds * 1e-9;

test.each<[what: string, node: string, seconds: number]>([
  // 120 rows are whole tiles of 6.
  [
    'two operations for each multiplication',
    'MatMul 1x120x768 768x768 -> 1x120x768',
    product(120, 768, 768) + packed(768 * 768),
  ],
  ['rows in tiles of six', 'MatMul 8x64 64x64 -> 8x64', product(12, 64, 64) + packed(64 * 64)],
  ['fewer rows than a tile as they are', 'MatMul 4x64 64x64 -> 4x64', product(4, 64, 64) + packed(64 * 64)],
  [
    'a batch of right matrices one by one',
    'MatMul 10x12x64 10x64x16 -> 10x12x16',
    10 * (product(12, 64, 16) + packed(64 * 16)),
  ],
  ['one row without packing', 'MatMul 1x512 512x1024 -> 1x1024', product(1, 512, 1024)],
  [
    'a large matrix at the rate of memory',
    'MatMul 60x1024 1024x2048 -> 60x2048',
    product(60, 1024, 2048) + (4 * 1024 * 2048) / BANDWIDTH.packing.large,
  ],
  [
    'the rate of uint8 activations with int8 weights',
    'MatMulInteger u8:120x768 i8:768x768 -> i32:120x768',
    product(120, 768, 768, PRODUCT_RATE.int8) + packed(768 * 768, 1),
  ],
  [
    'the rate of int8 and one pass over the floats that are quantized',
    'com.microsoft:DynamicQuantizeMatMul 120x768 i8:768x768 768 -> 120x768',
    product(120, 768, 768, PRODUCT_RATE.int8) +
      packed(768 * 768, 1) +
      elements(120 * 768, ELEMENT_NS.vectorized),
  ],
  [
    'the rate of uint8',
    'MatMulInteger u8:120x768 u8:768x768 -> i32:120x768',
    product(120, 768, 768, PRODUCT_RATE.uint8) + packed(768 * 768, 1),
  ],
  [
    'the slow kernel of signed activations',
    'MatMulInteger i8:120x768 i8:768x768 -> i32:120x768',
    product(120, 768, 768, PRODUCT_RATE.signedLeft) + packed(768 * 768, 1),
  ],
  [
    'the batch of an equation: 3 products of 12 x 64 by 64 x 16',
    'Einsum 1x3x12x64 1x3x16x64 -> 1x3x12x16',
    3 * (product(12, 64, 16) + packed(64 * 16)),
  ],
  [
    'a product over windows that are copied',
    'Conv 1x8x16x16 24x8x3x3 -> 1x24x16x16',
    CONVOLUTION_OVERHEAD + (2 * 24 * 72 * 256) / CONVOLUTION_RATE + (4 * 72 * 256) / BANDWIDTH.windows,
  ],
  [
    'the slow kernel of signed weights of a convolution',
    'ConvInteger u8:1x8x16x16 i8:24x8x1x1 -> i32:1x24x16x16',
    CONVOLUTION_OVERHEAD + (2 * 24 * 8 * 256) / PRODUCT_RATE.signedLeft,
  ],
  [
    'windows of one dimension in int8 one by one',
    'ConvInteger u8:1x8x16 u8:24x8x3 -> i32:1x24x16',
    CONVOLUTION_OVERHEAD + (2 * 24 * 24 * 16) / PRODUCT_RATE.uint8 + elements(24 * 16, INTEGER_WINDOW_NS),
  ],
  [
    'one channel at a time when it is depthwise',
    'Conv 1x8x16x16 8x1x3x3 -> 1x8x16x16',
    CONVOLUTION_OVERHEAD + (2 * 9 * 8 * 256) / DEPTHWISE_RATE.dense,
  ],
  [
    'a window for each input',
    'ConvTranspose 1x8x4x4 8x6x2x2 -> 1x6x8x8',
    CONVOLUTION_OVERHEAD +
      (2 * 8 * 16 * 6 * 4) / CONVOLUTION_RATE +
      (4 * 16 * 6 * 4) / BANDWIDTH.stridedWindows,
  ],
  [
    // 10 positions are two tiles of 6 rows.
    'the weights of the state in each step',
    'LSTM 10x1x32 1x128x32 1x128x32 -> 10x1x1x32',
    product(12, 32, 128) +
      packed(32 * 128) +
      10 * product(1, 32, 128) +
      elements(10 * 32 * 5, ELEMENT_NS.vectorized),
  ],
  [
    'two products and a softmax',
    'com.microsoft:MultiHeadAttention 1x24x64 1x24x64 1x24x64 -> 1x24x64',
    product(24, 64, 24) +
      packed(64 * 24) +
      elements(24 * 24, INPUT_ELEMENT_NS.softmax) +
      product(24, 24, 64) +
      packed(24 * 64),
  ],
  ['its elements', 'Add 10x100 -> 10x100', elements(1000, ELEMENT_NS.simple)],
  ['its elements', 'Div 10x100 -> 10x100', elements(1000, ELEMENT_NS.division)],
  ['its elements', 'Erf 10x100 -> 10x100', elements(1000, ELEMENT_NS.errorFunction)],
  [
    'the bytes that do not stay in the caches',
    'Relu 1000x2000 -> 1000x2000',
    elements(2e6, ELEMENT_NS.simple) + 16e6 / BANDWIDTH.memory,
  ],
  ['the bytes that it writes twice', 'Concat 10x100 -> 100x10', (2 * 4 * 1000) / BANDWIDTH.copy],
  ['the bytes that it writes twice', 'Transpose 10x100 -> 100x10', (2 * 4 * 1000) / BANDWIDTH.gather],
  ['its rows', 'Softmax 10x100 -> 10x100', elements(1000, INPUT_ELEMENT_NS.softmax) + elements(10, ROW_NS)],
  ['what it reads', 'MaxPool 1x8x10x10 -> 1x8x5x5', elements(800, INPUT_ELEMENT_NS.pooling)],
  ['windows of each element', 'MaxPool 1x8x10x10 -> 1x8x10x10', elements(800, INPUT_ELEMENT_NS.densePooling)],
  ['its elements', 'some.domain:Mystery 1000 -> 500', elements(500, ELEMENT_NS.simple)],
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

test('counts the nodes of a body as often as they ran, with copies of what a Loop carries', () => {
  const body = {
    node: nodesOf('Abs a > b'),
    input: ['i', 'go', 'a'].map((name) => value(name)),
    output: ['go', 'b'].map((name) => value(name)),
  };
  const loop = node('Loop', ['', '', 'x'], ['y'], [attribute.graph('body', body)]);
  const model = parseModel(saveModel({ graph: graphOf([loop]) }));
  const types = model.graph.values.map(() => ({ dtype: 'float32', shape: [10] }));
  const tensor = (...shape: number[]) => ({ dtype: 'float32', shape });
  const ran = { count: 5, hasWeights: false };
  const nodes = [
    { ...ran, opType: 'Relu', inputs: [tensor(10)], outputs: [tensor(10)] },
    { ...ran, opType: 'MatMul', inputs: [tensor(60, 96), tensor(96, 32)], outputs: [tensor(60, 32)] },
  ];
  const [seconds] = nodeSeconds(model, types, { bodies: [nodes] });
  const pass = 2 * NODE_OVERHEAD + elements(10, ELEMENT_NS.simple) + product(60, 96, 32) + packed(96 * 32);
  close(seconds, NODE_OVERHEAD + 5 * pass + (80 + 4 * 2 * 40) / BANDWIDTH.copy);
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
  close(secondsOf(graphOf('Relu x > y'), ['n', 10]), NODE_OVERHEAD + elements(10, ELEMENT_NS.simple));
});
