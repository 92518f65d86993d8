import { MAX_FUNCTION_DEPTH } from '../../../lib/onnx/limits';
import { parseModel } from '../../../lib/onnx/parse';
import { analyzeDataflow, repeatedClosure } from '../../../lib/dataflow/dataflow';
import type { GraphInit } from '../../support/model-builder';
import { FLOAT, attribute, floats, node, saveModel, value } from '../../support/model-builder';

function analyze(graph: GraphInit, rest: object = {}) {
  const dataflow = analyzeDataflow(parseModel(saveModel({ graph, ...rest })));
  const { nodes } = dataflow.model.graph;
  return {
    dataflow,
    names: dataflow.order.map((index) => nodes[index].outputs.map(nameIn(dataflow)).join()),
  };
}

const nameIn =
  (dataflow: ReturnType<typeof analyzeDataflow>) =>
  (value: number): string =>
    dataflow.model.graph.values[value].name;

const x = value('x', FLOAT, [4]);
const y = value('y', FLOAT);

describe('analyzeDataflow', () => {
  test('keeps the order of a sorted graph', () => {
    const graph = {
      node: [node('Abs', ['x'], ['a']), node('Neg', ['x'], ['b']), node('Add', ['a', 'b'], ['y'])],
      input: [x],
      output: [y],
    };
    expect(analyze(graph).names).toEqual(['a', 'b', 'y']);
  });

  test('sorts an unsorted graph', () => {
    const graph = {
      node: [node('Add', ['a', 'b'], ['y']), node('Neg', ['a'], ['b']), node('Abs', ['x'], ['a'])],
      input: [x],
      output: [y],
    };
    expect(analyze(graph).names).toEqual(['a', 'b', 'y']);
  });

  test('refuses a cyclic graph', () => {
    const graph = {
      node: [node('Add', ['x', 'b'], ['a']), node('Neg', ['a'], ['b']), node('Abs', ['b'], ['y'])],
      input: [x],
      output: [y],
    };
    expect(() => analyze(graph)).toThrow(
      "node 'Add_a' (Add) must not depend on itself, got a cyclic graph: the file is damaged; export the model again",
    );
  });

  test('leaves out nodes that no output needs', () => {
    const graph = {
      node: [node('Abs', ['x'], ['unused']), node('Neg', ['x'], ['y'])],
      input: [x],
      output: [y],
    };
    expect(analyze(graph).names).toEqual(['y']);
  });

  test('assigns constant nodes to no slice, and finds them for the nodes that need them', () => {
    const graph = {
      node: [
        node('Constant', [], ['c'], [attribute.tensor('value', floats('', [4]))]),
        node('Add', ['c', 'w'], ['d']),
        node('Mul', ['x', 'd'], ['y']),
      ],
      initializer: [floats('w', [4])],
      input: [x],
      output: [y],
    };
    const { dataflow, names } = analyze(graph);
    expect(names).toEqual(['y']);
    expect([...repeatedClosure(dataflow, dataflow.needs[2])].sort()).toEqual([0, 1]);
  });

  test('counts the captures of body graphs as needs', () => {
    const body = (operator: string) => ({
      node: [node(operator, ['a'], ['out'])],
      output: [value('out', FLOAT)],
    });
    const graph = {
      node: [
        node('Abs', ['x'], ['a']),
        node(
          'If',
          ['c'],
          ['y'],
          [attribute.graph('then_branch', body('Neg')), attribute.graph('else_branch', body('Exp'))],
        ),
      ],
      input: [x, value('c', 9, [])],
      output: [y],
    };
    const { dataflow } = analyze(graph);
    expect(dataflow.needs[1].map(nameIn(dataflow)).sort()).toEqual(['a', 'c']);
  });
});

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
    expect(() => analyze(graph)).toThrow(
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
    expect(() => analyze(inBody)).toThrow('got an unseeded RandomNormalLike');
    const inFunction = {
      node: [{ ...node('Noise', ['x'], ['y']), domain: 'local' }],
      input: [x],
      output: [y],
    };
    const functions = [{ name: 'Noise', domain: 'local', input: ['x'], output: ['out'], node: [random] }];
    expect(() => analyze(inFunction, { functions })).toThrow('got an unseeded RandomNormalLike');
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
    expect(analyze(graph).names).toEqual(['r', 'y']);
  });

  test('are allowed when no output needs them', () => {
    const graph = {
      node: [node('RandomNormalLike', ['x'], ['r']), node('Abs', ['x'], ['y'])],
      input: [x],
      output: [y],
    };
    expect(analyze(graph).names).toEqual(['y']);
  });

  test('include Dropout only with its training_mode input', () => {
    expect(analyze(dropout(['x', 'ratio'])).names).toEqual(['y']);
    expect(() => analyze(dropout(['x', 'ratio', 'training']))).toThrow(
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
    expect(() => analyze(graph, { functions: fn(body) })).toThrow('got an unseeded RandomUniformLike');
  });

  test('are refused when the caller sets their seed', () => {
    const body = [node('RandomNormalLike', ['a'], ['b'], [{ name: 'seed', refAttrName: 's', type: 1 }])];
    expect(() => analyze(graph, { functions: fn(body) })).toThrow('got an unseeded RandomNormalLike');
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
    expect(() => analyze(calling, { functions })).toThrow('got an unseeded RandomNormalLike');
  });
});
