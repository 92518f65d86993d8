import { analyzeModel } from '../../../lib/compile/analyze';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type NodeInit,
  type TensorInit,
  FLOAT,
  INT64,
  attribute,
  floats,
  int64s,
  node,
  saveModel,
  value,
} from '../../support/model-builder';

analyzeFast();

/** The planned elements of the values of a model with inputs of 6 x 10 floats, and of two integers. */
function elementsOf(nodes: NodeInit[], initializer: TensorInit[] = []): Record<string, number> {
  const graph = {
    node: nodes,
    initializer,
    input: [value('x', FLOAT, [6, 10]), value('sizes', INT64, [2])],
    output: [value('y')],
  };
  const { model, planned } = analyzeModel(saveModel({ graph }));
  return Object.fromEntries(model.graph.values.map(({ name }, index) => [name, planned.elements[index]]));
}

describe('the elements of a tensor whose size depends on data', () => {
  test('are at most those of the input that the node selects from', () => {
    const nodes = [node('NonZero', ['x'], ['places']), node('Neg', ['places'], ['y'])];
    // A place is a row and a column.
    expect(elementsOf(nodes)).toMatchObject({ places: 120, y: 120 });
    expect(elementsOf([node('Reshape', ['x', 'sizes'], ['y'])])).toMatchObject({ y: 60 });
  });

  test('are at most those of all inputs that the node joins', () => {
    const nodes = [
      node('Reshape', ['x', 'sizes'], ['a']),
      node('Concat', ['a', 'a', 'a'], ['y'], [attribute.int('axis', 0)]),
    ];
    expect(elementsOf(nodes).y).toBe(180);
  });

  test('are those of all features that a FeatureVectorizer joins', () => {
    const names = Array.from({ length: 201 }, (_, index) => `f${index}`);
    const vectorizer = node(
      'FeatureVectorizer',
      names,
      ['y'],
      [
        attribute.ints(
          'inputdimensions',
          names.map(() => 1),
        ),
      ],
    );
    const graph = {
      node: [{ ...vectorizer, domain: 'ai.onnx.ml' }],
      input: names.map((name) => value(name, FLOAT, [1, 1])),
      output: [value('y', FLOAT)],
    };
    const opsetImport = [
      { domain: '', version: 17 },
      { domain: 'ai.onnx.ml', version: 1 },
    ];
    const { model, planned } = analyzeModel(saveModel({ graph, opsetImport }));
    expect(planned.bytes[model.graph.outputs[0].value]).toBe(804);
  });

  test('are estimated as those of the largest input when the node computes a size from data', () => {
    expect(elementsOf([node('Expand', ['x', 'sizes'], ['y'])]).y).toBe(60);
    expect(elementsOf([node('ConstantOfShape', ['sizes'], ['y'])]).y).toBe(60);
  });

  test('keep the unknown part of an input when the node changes the known one', () => {
    const nodes = [
      node('NonZero', ['x'], ['places']),
      node('Cast', ['places'], ['floats'], [attribute.int('to', FLOAT)]),
      node('Transpose', ['floats'], ['rows']),
      node('MatMul', ['rows', 'w'], ['y']),
    ];
    // 60 places of two numbers each become 60 of seven.
    expect(elementsOf(nodes, [floats('w', [2, 7])]).y).toBe(420);
  });

  test('are those of the rows of a product, also when all dimensions of its input are unknown', () => {
    const nodes = [node('Reshape', ['x', 'sizes'], ['a']), node('MatMul', ['a', 'w'], ['y'])];
    // 60 numbers are 6 rows of ten, and each becomes a row of 25.
    expect(elementsOf(nodes, [floats('w', [10, 25])]).y).toBe(150);
  });

  test('do not count a dimension twice that is known of the result and not of the input', () => {
    const nodes = [node('Reshape', ['x', 'sizes'], ['a']), node('Gemm', ['a', 'w'], ['y'])];
    expect(elementsOf(nodes, [floats('w', [10, 25])]).y).toBeLessThanOrEqual(150);
  });

  test('are exact for the mask of a Dropout, of which ONNX Runtime infers no shape', () => {
    const graph = {
      node: [node('Dropout', ['x'], ['y', 'mask'])],
      input: [value('x', FLOAT, [6, 10])],
      output: [value('y', FLOAT)],
    };
    const opsetImport = [{ domain: '', version: 7 }];
    const { model, planned } = analyzeModel(saveModel({ graph, opsetImport }));
    const mask = model.graph.values.findIndex(({ name }) => name === 'mask');
    expect(planned.elements[mask]).toBe(60);
    expect(planned.bounded).toEqual([]);
  });

  test('are exact when the size is a constant', () => {
    const nodes = [node('Expand', ['x', 'three'], ['y'])];
    expect(elementsOf(nodes, [int64s('three', [3, 1, 1])]).y).toBe(180);
  });
});
