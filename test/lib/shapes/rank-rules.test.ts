import { analyzeModel } from '../../../lib/compile/analyze';
import { parseModel } from '../../../lib/onnx/parse';
import { ranksByRule } from '../../../lib/shapes/rank-rules';
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

describe('ranks of what an If returns', () => {
  type Branches = readonly [then: readonly NodeInit[], otherwise: readonly NodeInit[]];
  const choice = (condition: string, result: string, [then, otherwise]: Branches): NodeInit =>
    node(
      'If',
      [condition],
      [result],
      [attribute.graph('then_branch', graphOf(then)), attribute.graph('else_branch', graphOf(otherwise))],
    );
  const graphOf = (nodes: readonly NodeInit[]) => ({
    node: nodes,
    output: [value(nodes[nodes.length - 1].output[0], FLOAT)],
  });
  const two = (name: string): NodeInit => node('Squeeze', ['x', 'first'], [name]);
  const three = (name: string): NodeInit => node('Identity', ['x'], [name]);
  const chosen = (branches: Branches, nodes: readonly NodeInit[] = [], condition = 'c'): ModelInit => ({
    graph: {
      node: [...nodes, choice(condition, 'r', branches), node('Relu', ['r'], ['y'])],
      initializer: [int64s('first', [0]), int64s('one', [1])],
      input: [value('x', FLOAT, [1, 2, 'n']), value('c', BOOL, [])],
      output: [value('y')],
    },
  });
  const feeds = (isTrue: boolean) =>
    new Map([
      ['x', float32([1, 2, 5], [1, -2, 3, -4, 5, -6, 7, -8, 9, -10])],
      ['c', condition(isTrue)],
    ]);

  test('are unknown if the branches differ', () => {
    expect(ranksOf(chosen([[two('a')], [three('b')]]))).toMatchObject({ r: undefined, y: undefined });
  });

  test('are unknown if the condition depends on a size of requests', () => {
    const model = chosen(
      [[two('a')], [three('b')]],
      [
        node('Shape', ['x'], ['shape']),
        node('Gather', ['shape', 'last'], ['size']),
        node('Equal', ['size', 'one'], ['isOne']),
      ],
      'isOne',
    );
    const initializer = [...(model.graph.initializer ?? []), int64s('last', [2])];
    expect(ranksOf({ graph: { ...model.graph, initializer } })).toMatchObject({ r: undefined, y: undefined });
  });

  test('follow from the order of a Transpose', () => {
    const turned = [node('Transpose', ['r'], ['y'], [attribute.ints('perm', [1, 0])])];
    const later = (nodes: NodeInit[]): ModelInit => model([...nodes]);
    expect(ranksOf(later(turned))).toMatchObject({ r: 2, y: 2 });
    expect(ranksOf(later([node('Transpose', ['r'], ['y'])]))).toMatchObject({ r: undefined, y: undefined });
  });

  test('are those of what ONNX defines for an STFT and a FeatureVectorizer', () => {
    const vectorizer = node(
      'FeatureVectorizer',
      ['x', 'x'],
      ['f'],
      [attribute.ints('inputdimensions', [2, 2])],
    );
    const graph = {
      node: [
        node('STFT', ['x', 'step', 'window'], ['s']),
        { ...vectorizer, domain: 'ai.onnx.ml' },
        node('Neg', ['s'], ['y']),
        node('Neg', ['f'], ['z']),
      ],
      initializer: [floats('window', [4]), { ...int64s('step', [2]), dims: [] }],
      input: [value('x', FLOAT, ['n', 'm'])],
      output: [value('y', FLOAT), value('z', FLOAT)],
    };
    const opsetImport = [
      { domain: '', version: 17 },
      { domain: 'ai.onnx.ml', version: 1 },
    ];
    expect(ranksOf({ graph, opsetImport })).toMatchObject({ s: 4, y: 4, f: 2, z: 2 });
  });

  test('are those of the branch that runs if constants alone decide', async () => {
    const decided = chosen([[two('a')], [three('b')]], [node('Equal', ['one', 'one'], ['same'])], 'same');
    expect(ranksOf(decided)).toMatchObject({ r: 2, y: 2 });
    expect(await expectSameBitsInEveryCut(saveModel(decided), feeds(true))).toBeGreaterThan(0);
  });

  test('keep the sizes that follow from them', () => {
    const convolved = model([
      node('Relu', ['r'], ['a']),
      node('Unsqueeze', ['a', 'first'], ['u']),
      node('Conv', ['u', 'w'], ['y']),
    ]);
    const { model: parsed, provenShapes } = analyzeModel(saveModel(convolved));
    expect(provenShapes[parsed.graph.values.findIndex(({ name }) => name === 'y')]).toEqual([1, 4, null]);
  });

  test('are found for a node of 200,000 inputs', () => {
    const wide = model([
      node('Concat', [...Array<string>(200_000).fill('r'), 'x'], ['y'], [attribute.int('axis', -1)]),
    ]);
    const { model: parsed, types } = {
      model: parseModel(saveModel(wide)),
      types: new Map<number, number[]>(),
    };
    const x = parsed.graph.values.findIndex(({ name }) => name === 'x');
    types.set(x, [1, 2, 5]);
    const ranks = ranksByRule(parsed, (index) => types.get(index) ?? null);
    expect(ranks.get(parsed.graph.values.findIndex(({ name }) => name === 'r'))).toBe(3);
  });
});
