import { analyzeDataflow } from '../../../lib/dataflow/dataflow';
import { MAX_FUNCTION_DEPTH } from '../../../lib/onnx/limits';
import { parseModel } from '../../../lib/onnx/parse';
import {
  type GraphInit,
  FLOAT,
  attribute,
  floats,
  node,
  saveModel,
  value,
} from '../../support/model-builder';

/** Returns the names of the first outputs of the nodes in their order. */
function orderOf(graph: GraphInit, rest: object = {}): string[] {
  const { model, order } = analyzeDataflow(parseModel(saveModel({ graph, ...rest })));
  const { nodes, values } = model.graph;
  return order.map((index) => values[nodes[index].outputs[0]].name);
}

const x = value('x', FLOAT, [4]);
const y = value('y', FLOAT);

describe('random operators', () => {
  const dropout = (inputs: string[]) => ({
    node: [node('Dropout', inputs, ['y'])],
    initializer: [
      floats('ratio', [], [0.5]),
      { name: 'training', dataType: 9, dims: [], rawData: new Uint8Array([1]) },
    ],
    input: [x],
    output: [y],
  });

  test('are refused without a seed', () => {
    const graph = { node: [node('RandomNormalLike', ['x'], ['y'])], input: [x], output: [y] };
    expect(() => orderOf(graph)).toThrow(
      "node 'RandomNormalLike_y' (RandomNormalLike) must compute the same result in every run, got an unseeded RandomNormalLike: add a `seed` attribute",
    );
  });

  test('are refused inside a body graph and a local function', () => {
    const random = node('RandomNormalLike', ['x'], ['out']);
    const body = { node: [random], output: [value('out', FLOAT)] };
    const inBody = {
      node: [
        node(
          'If',
          ['c'],
          ['y'],
          [attribute.graph('then_branch', body), attribute.graph('else_branch', body)],
        ),
      ],
      input: [x, value('c', 9, [])],
      output: [y],
    };
    expect(() => orderOf(inBody)).toThrow('got an unseeded RandomNormalLike');
    const inFunction = {
      node: [{ ...node('Noise', ['x'], ['y']), domain: 'local' }],
      input: [x],
      output: [y],
    };
    const functions = [{ name: 'Noise', domain: 'local', input: ['x'], output: ['out'], node: [random] }];
    expect(() => orderOf(inFunction, { functions })).toThrow('got an unseeded RandomNormalLike');
  });

  test('stay in one slice when they are seeded, because their sequence continues from run to run', () => {
    const graph = {
      node: [
        node('RandomNormal', [], ['r'], [{ name: 'seed', f: 1, type: 1 }, attribute.ints('shape', [4])]),
        node('Add', ['x', 'r'], ['y']),
      ],
      input: [x],
      output: [y],
    };
    expect(orderOf(graph)).toEqual(['r', 'y']);
  });

  test('are allowed when no output needs them', () => {
    const graph = {
      node: [node('RandomNormalLike', ['x'], ['r']), node('Abs', ['x'], ['y'])],
      input: [x],
      output: [y],
    };
    expect(orderOf(graph)).toEqual(['y']);
  });

  test('include Dropout only with its training_mode input', () => {
    expect(orderOf(dropout(['x', 'ratio']))).toEqual(['y']);
    expect(() => orderOf(dropout(['x', 'ratio', 'training']))).toThrow(
      'got an unseeded Dropout: export the model for inference, without training_mode',
    );
  });
});

describe('random operators in local functions', () => {
  const fn = (body: object[], more: object = {}) => [
    {
      name: 'Noise',
      domain: 'local',
      input: ['a'],
      output: ['b'],
      node: body,
      opsetImport: [{ domain: '', version: 17 }],
      ...more,
    },
  ];
  const graph = { node: [{ ...node('Noise', ['x'], ['y']), domain: 'local' }], input: [x], output: [y] };
  const seed = (f: number) => [{ name: 'seed', f, type: 1 }];

  test('are refused after a seeded operator', () => {
    const body = [node('RandomNormalLike', ['a'], ['s'], seed(3)), node('RandomUniformLike', ['s'], ['b'])];
    expect(() => orderOf(graph, { functions: fn(body) })).toThrow('got an unseeded RandomUniformLike');
  });

  test('are refused when the caller sets their seed', () => {
    const body = [node('RandomNormalLike', ['a'], ['b'], [{ name: 'seed', refAttrName: 's', type: 1 }])];
    expect(() => orderOf(graph, { functions: fn(body) })).toThrow('got an unseeded RandomNormalLike');
  });

  test('are found through the deepest allowed chain of calls', () => {
    const depth = MAX_FUNCTION_DEPTH;
    const functions = Array.from({ length: depth }, (_, index) => ({
      name: `F${index}`,
      domain: 'local',
      input: ['a'],
      output: ['b'],
      node: [
        index === depth - 1
          ? node('RandomNormalLike', ['a'], ['b'])
          : { ...node(`F${index + 1}`, ['a'], ['b']), domain: 'local' },
      ],
    }));
    const calling = { node: [{ ...node('F0', ['x'], ['y']), domain: 'local' }], input: [x], output: [y] };
    expect(() => orderOf(calling, { functions })).toThrow('got an unseeded RandomNormalLike');
  });
});
