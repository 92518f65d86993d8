import { parseModel } from '../../../lib/onnx/parse';
import { analyzeDataflow, repeatedClosure } from '../../../lib/dataflow/dataflow';
import {
  type GraphInit,
  FLOAT,
  attribute,
  floats,
  node,
  saveModel,
  value,
} from '../../support/model-builder';

function analyze(graph: GraphInit) {
  const dataflow = analyzeDataflow(parseModel(saveModel({ graph })));
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
