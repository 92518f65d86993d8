/** The formulas of each family, against values computed by hand from the rates of the reference processor. */
import { parseModel } from '../../../lib/onnx/parse';
import { dataTypeName } from '../../../lib/onnx/data-type';
import type { ValueTypes } from '../../../lib/shapes/value-types';
import { familyOf } from '../../../lib/compute-time/families';
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
import {
  type NodeInit,
  BOOL,
  FLOAT,
  attribute,
  floats,
  node,
  saveModel,
  value,
} from '../../support/model-builder';

const UINT8 = 2;
const INT8 = 3;

type Shapes = Readonly<Record<string, readonly [dtype: number, ...shape: number[]]>>;

/** Seconds of each node of a graph whose values have the given types. All values without a producer are inputs. */
function workOf(nodes: NodeInit[], shapes: Shapes): number[] {
  const outputs = new Set(nodes.flatMap(({ output }) => output));
  const last = nodes[nodes.length - 1].output[0];
  const model = parseModel(
    saveModel({
      graph: {
        node: nodes,
        input: Object.entries(shapes)
          .filter(([name]) => !outputs.has(name))
          .map(([name, [dtype, ...shape]]) => value(name, dtype, shape)),
        output: [value(last)],
      },
    }),
  );
  const types: ValueTypes = model.graph.values.map(({ name }) => {
    const [dtype, ...shape] = shapes[name];
    return { dtype: dataTypeName(dtype), shape };
  });
  return [...nodeSeconds(model, types)];
}

/** Seconds of a node with the inputs `a`, `b`, ... in the order of `shapes` and the output `y`. */
function secondsOf(opType: string, shapes: Shapes, domain = ''): number {
  const inputs = Object.keys(shapes).filter((name) => name !== 'y');
  const [seconds] = workOf([{ ...node(opType, inputs, ['y']), domain }], shapes);
  return seconds - NODE_OVERHEAD;
}

const close = (seconds: number, expected: number): void => {
  expect(seconds / expected).toBeCloseTo(1, 9);
};

describe('nodeSeconds', () => {
  describe('of products', () => {
    // 120 rows and 768 columns are whole tiles of 12 x 16.
    const matmul =
      (2 * 120 * 768 * 768) / PRODUCT_RATE.float32 +
      (4 * 768 * 768) / BANDWIDTH.packing +
      (2 * 4 * 120 * 768) / BANDWIDTH.elementwise;

    it('counts two operations for each multiplication of a MatMul', () => {
      const shapes: Shapes = { a: [FLOAT, 1, 120, 768], b: [FLOAT, 768, 768], y: [FLOAT, 1, 120, 768] };
      close(secondsOf('MatMul', shapes), matmul);
    });

    it('counts the same for a Gemm with a transposed matrix', () => {
      close(secondsOf('Gemm', { a: [FLOAT, 768, 120], b: [FLOAT, 768, 768], y: [FLOAT, 120, 768] }), matmul);
    });

    it('counts a batch of right matrices one by one', () => {
      const one = secondsOf('MatMul', { a: [FLOAT, 12, 64], b: [FLOAT, 64, 16], y: [FLOAT, 12, 16] });
      const ten = secondsOf('MatMul', {
        a: [FLOAT, 10, 12, 64],
        b: [FLOAT, 10, 64, 16],
        y: [FLOAT, 10, 12, 16],
      });
      close(ten, 10 * one);
    });

    it('takes the time to read the weights for one row', () => {
      close(
        secondsOf('MatMul', { a: [FLOAT, 1, 512], b: [FLOAT, 512, 1024], y: [FLOAT, 1, 1024] }),
        (4 * 512 * 1024) / BANDWIDTH.weights + (4 * (512 + 1024)) / BANDWIDTH.elementwise,
      );
    });

    it('uses the rate of int8 for MatMulInteger', () => {
      close(
        secondsOf('MatMulInteger', { a: [UINT8, 120, 768], b: [INT8, 768, 768], y: [6, 120, 768] }),
        (2 * 120 * 768 * 768) / PRODUCT_RATE.int8 +
          (768 * 768) / BANDWIDTH.packing +
          (120 * 768 + 4 * 120 * 768) / BANDWIDTH.elementwise,
      );
    });

    it('finds the batch of an Einsum', () => {
      // bhid,bhjd->bhij: 3 products of 12 x 64 by 64 x 16.
      close(
        secondsOf('Einsum', { a: [FLOAT, 1, 3, 12, 64], b: [FLOAT, 1, 3, 16, 64], y: [FLOAT, 1, 3, 12, 16] }),
        (3 * 2 * 12 * 64 * 16) / PRODUCT_RATE.float32 +
          (3 * 4 * 64 * 16) / BANDWIDTH.packing +
          (4 * 3 * (12 * 64 + 12 * 16)) / BANDWIDTH.elementwise,
      );
    });
  });

  describe('of convolutions', () => {
    it('is a product over windows that are copied', () => {
      close(
        secondsOf('Conv', { a: [FLOAT, 1, 8, 16, 16], b: [FLOAT, 24, 8, 3, 3], y: [FLOAT, 1, 24, 16, 16] }),
        CONVOLUTION_OVERHEAD +
          (2 * 24 * 72 * 256) / PRODUCT_RATE.float32 +
          (4 * 72 * 256) / BANDWIDTH.packing +
          (4 * 72 * 256) / BANDWIDTH.windows +
          (4 * 256 * (8 + 24)) / BANDWIDTH.elementwise,
      );
    });

    it('computes one channel at a time when it is depthwise', () => {
      close(
        secondsOf('Conv', { a: [FLOAT, 1, 8, 16, 16], b: [FLOAT, 8, 1, 3, 3], y: [FLOAT, 1, 8, 16, 16] }),
        CONVOLUTION_OVERHEAD +
          (2 * 9 * 8 * 256) / DEPTHWISE_RATE.dense +
          (4 * 2 * 8 * 256) / BANDWIDTH.elementwise,
      );
    });

    it('counts a window for each input of a ConvTranspose', () => {
      close(
        secondsOf('ConvTranspose', {
          a: [FLOAT, 1, 8, 4, 4],
          b: [FLOAT, 8, 6, 2, 2],
          y: [FLOAT, 1, 6, 8, 8],
        }),
        CONVOLUTION_OVERHEAD +
          (2 * 8 * 16 * 6 * 4) / PRODUCT_RATE.float32 +
          (4 * 16 * 6 * 4) / BANDWIDTH.stridedWindows +
          (4 * (8 * 16 + 6 * 64)) / BANDWIDTH.elementwise,
      );
    });
  });

  it('reads the weights of the state in each step of an LSTM', () => {
    const shapes: Shapes = {
      x: [FLOAT, 10, 1, 32],
      w: [FLOAT, 1, 128, 32],
      r: [FLOAT, 1, 128, 32],
      y: [FLOAT, 10, 1, 1, 32],
    };
    // 10 positions are one tile of 12 rows.
    close(
      secondsOf('LSTM', shapes),
      (2 * 12 * 32 * 128) / PRODUCT_RATE.float32 +
        (4 * 32 * 128) / BANDWIDTH.packing +
        (10 * 4 * 32 * 128) / BANDWIDTH.weights +
        10 * 32 * 5 * ELEMENT_NS.vectorized * 1e-9 +
        (4 * 10 * 32) / BANDWIDTH.elementwise,
    );
  });

  it('adds up the two products and the softmax of an attention', () => {
    const states = [FLOAT, 1, 24, 64] as const;
    const shapes: Shapes = { q: states, k: states, v: states, y: states };
    close(
      secondsOf('MultiHeadAttention', shapes, 'com.microsoft'),
      (2 * 24 * 64 * 32) / PRODUCT_RATE.float32 +
        (4 * 64 * 24) / BANDWIDTH.packing +
        24 * 24 * INPUT_ELEMENT_NS.softmax * 1e-9 +
        (2 * 24 * 24 * 64) / PRODUCT_RATE.float32 +
        (4 * 24 * 64) / BANDWIDTH.packing +
        (4 * 4 * 24 * 64) / BANDWIDTH.copy,
    );
  });

  it.each([
    ['Add', ELEMENT_NS.simple],
    ['Div', ELEMENT_NS.division],
    ['Erf', ELEMENT_NS.vectorized],
    ['Log', ELEMENT_NS.slow],
    ['Softplus', ELEMENT_NS.scalar],
  ])('counts nanoseconds for each element of %s, or its bytes', (opType, nanoseconds) => {
    const bytes = (2 * 4 * 1000) / BANDWIDTH.elementwise;
    close(
      secondsOf(opType, { a: [FLOAT, 10, 100], y: [FLOAT, 10, 100] }),
      Math.max(1000 * nanoseconds * 1e-9, bytes),
    );
  });

  it.each([
    ['Concat', BANDWIDTH.copy],
    ['Transpose', BANDWIDTH.gather],
  ])('counts the bytes that %s writes twice', (opType, bandwidth) => {
    close(secondsOf(opType, { a: [FLOAT, 10, 100], y: [FLOAT, 100, 10] }), (2 * 4 * 1000) / bandwidth);
  });

  it('counts elements and rows of a softmax', () => {
    close(
      secondsOf('Softmax', { a: [FLOAT, 10, 100], y: [FLOAT, 10, 100] }),
      1000 * INPUT_ELEMENT_NS.softmax * 1e-9 + 10 * ROW_NS * 1e-9,
    );
  });

  it('counts what pooling reads', () => {
    close(
      secondsOf('MaxPool', { a: [FLOAT, 1, 8, 10, 10], y: [FLOAT, 1, 8, 5, 5] }),
      800 * INPUT_ELEMENT_NS.pooling * 1e-9,
    );
  });

  it('counts nothing but the overhead for a view', () => {
    expect(secondsOf('Identity', { a: [FLOAT, 1000], y: [FLOAT, 1000] })).toBe(0);
  });

  it('counts the bytes of an unknown operator', () => {
    expect(familyOf('Mystery')).toBe('other');
    close(
      secondsOf('Mystery', { a: [FLOAT, 1000], y: [FLOAT, 500] }, 'some.domain'),
      (4 * 1500) / BANDWIDTH.elementwise,
    );
  });

  it('counts half of the nodes of both branches of an If', () => {
    const branch = {
      node: [node('Relu', ['x'], ['r']), node('Abs', ['r'], ['b'])],
      output: [value('b', FLOAT)],
    };
    const choice = node(
      'If',
      ['c'],
      ['y'],
      [attribute.graph('then_branch', branch), attribute.graph('else_branch', branch)],
    );
    const shapes: Shapes = { c: [BOOL, 1], x: [FLOAT, 10], y: [FLOAT, 10] };
    const [seconds] = workOf([choice], shapes);
    close(seconds, 3 * NODE_OVERHEAD + (1 + 40) / BANDWIDTH.copy);
  });

  it('counts the weights of a body once', () => {
    const body = {
      input: [value('i', 7, []), value('c', BOOL, []), value('v', FLOAT, [10])],
      initializer: [floats('w', [1000])],
      node: [node('Identity', ['c'], ['d']), node('Identity', ['v'], ['u'])],
      output: [value('d', BOOL, []), value('u', FLOAT, [10])],
    };
    const loop = node('Loop', ['n', 'c', 'x'], ['y'], [attribute.graph('body', body)]);
    const shapes: Shapes = { n: [7], c: [BOOL], x: [FLOAT, 10], y: [FLOAT, 10] };
    const [seconds] = workOf([loop], shapes);
    close(seconds, 3 * NODE_OVERHEAD + 4000 / BANDWIDTH.weights + (8 + 1 + 40 + 40) / BANDWIDTH.copy);
  });

  it('counts the nodes of a local function, also of the functions that it calls', () => {
    const opsetImport = [{ domain: '', version: 17 }];
    const call = (name: string, input: string, output: string): NodeInit => ({
      ...node(name, [input], [output]),
      domain: 'local',
    });
    const model = parseModel(
      saveModel({
        opsetImport: [...opsetImport, { domain: 'local', version: 1 }],
        functions: [
          {
            name: 'Outer',
            domain: 'local',
            input: ['a'],
            output: ['c'],
            opsetImport: [...opsetImport, { domain: 'local', version: 1 }],
            node: [call('Inner', 'a', 'b'), node('Abs', ['b'], ['c'])],
          },
          {
            name: 'Inner',
            domain: 'local',
            input: ['a'],
            output: ['c'],
            opsetImport,
            node: [node('Relu', ['a'], ['b']), node('Neg', ['b'], ['c'])],
          },
        ],
        graph: {
          node: [call('Outer', 'x', 'y')],
          input: [value('x', FLOAT, [10])],
          output: [value('y', FLOAT, [10])],
        },
      }),
    );
    const types: ValueTypes = model.graph.values.map(() => ({ dtype: 'float32', shape: [10] }));
    close(nodeSeconds(model, types)[0], 4 * NODE_OVERHEAD + 80 / BANDWIDTH.copy);
  });

  it('counts unknown sizes as 1', () => {
    const model = parseModel(
      saveModel({
        graph: {
          node: [node('Relu', ['x'], ['y'])],
          input: [value('x', FLOAT, ['n', 10])],
          output: [value('y', FLOAT, ['n', 10])],
        },
      }),
    );
    const types: ValueTypes = model.graph.values.map(() => ({ dtype: 'float32', shape: ['n', 10] }));
    close(nodeSeconds(model, types)[0], NODE_OVERHEAD + Math.max(1.3e-9, 80 / BANDWIDTH.elementwise));
  });
});
