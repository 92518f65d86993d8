import { analyzeModel } from '../../../lib/compile/analyze';
import type { NumericTensor } from '../../../lambda/tensors/tensor';
import { analyzeFast } from '../../support/inference/fast-analysis';
import type { ModelInit, NodeInit } from '../../support/model-builder';
import { BOOL, FLOAT, attribute, floats, int64s, node, saveModel, value } from '../../support/model-builder';
import { expectSameBitsInEveryCut } from '../../support/run-slices';
import { float32 } from '../../support/tensors';

analyzeFast();

function ranksOf(model: ModelInit): Record<string, number | undefined> {
  const { model: parsed, provenShapes } = analyzeModel(saveModel(model));
  return Object.fromEntries(
    parsed.graph.values.map(({ name }, index) => [name, provenShapes[index]?.length]),
  );
}

/** A result `r` of two or three dimensions: the condition `c` decides. */
const branch = (name: string, inner: NodeInit) =>
  attribute.graph(name, { node: [inner], output: [value(inner.output[0], FLOAT)] });
const oneOfTwo = node(
  'If',
  ['c'],
  ['r'],
  [
    branch('then_branch', node('Squeeze', ['x', 'first'], ['two'])),
    branch('else_branch', node('Identity', ['x'], ['three'])),
  ],
);
const model = (nodes: NodeInit[]): ModelInit => ({
  graph: {
    node: [oneOfTwo, ...nodes],
    initializer: [int64s('first', [0]), floats('w', [4, 2, 1])],
    input: [value('x', FLOAT, [1, 2, 5]), value('c', BOOL, [])],
    output: [value('y')],
  },
});
const condition = (isTrue: boolean): NumericTensor => ({
  dtype: 'bool',
  shape: [],
  bytes: Uint8Array.of(isTrue ? 1 : 0),
});

describe('ranks that operators prove', () => {
  const convolution = model([
    node('Unsqueeze', ['r', 'first'], ['u']),
    node('Relu', ['u'], ['a']),
    node('Conv', ['a', 'w'], ['b']),
    node('Sigmoid', ['b'], ['y']),
  ]);

  test('go from the weights of a convolution to its result, and back to what it reads', () => {
    expect(ranksOf(convolution)).toMatchObject({ r: 2, u: 3, a: 3, b: 3, y: 3 });
  });

  test('let every cut run', async () => {
    const feeds = new Map([
      ['x', float32([1, 2, 5], [1, -2, 3, -4, 5, -6, 7, -8, 9, -10])],
      ['c', condition(true)],
    ]);
    expect(await expectSameBitsInEveryCut(saveModel(convolution), feeds)).toBeGreaterThan(3);
  });

  test('join all inputs of a Concat', () => {
    const joined = model([
      node('Relu', ['r'], ['a']),
      node('Concat', ['a', 'x'], ['y'], [attribute.int('axis', -1)]),
    ]);
    expect(ranksOf(joined)).toMatchObject({ r: 3, a: 3, y: 3 });
  });

  test('prove nothing from a node whose result is not used, because ONNX Runtime does not run it', () => {
    const unused = model([
      node('Relu', ['r'], ['y']),
      node('Unsqueeze', ['r', 'first'], ['u']),
      node('Conv', ['u', 'w'], ['unused']),
    ]);
    expect(ranksOf(unused)).toMatchObject({ r: undefined, y: undefined });
  });
});
