import { analyzeModel } from '../../../lib/compile/analyze';
import { parseModel } from '../../../lib/onnx/parse';
import { ranksByRule } from '../../../lib/shapes/rank-rules';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  type NodeInit,
  BOOL,
  FLOAT,
  attribute,
  floats,
  int64s,
  node,
  saveModel,
  value,
} from '../../support/model-builder';
import { expectSameBitsInEveryCut } from '../../support/run-slices';
import { float32 } from '../../support/tensors';

analyzeFast();

function shapesOf(model: ModelInit) {
  const { model: parsed, provenShapes } = analyzeModel(saveModel(model));
  return Object.fromEntries(parsed.graph.values.map(({ name }, index) => [name, provenShapes[index]]));
}

/** By value: its rank, or `undefined`. */
function ranksOf(model: ModelInit): Record<string, number | undefined> {
  return Object.fromEntries(Object.entries(shapesOf(model)).map(([name, shape]) => [name, shape?.length]));
}

const branch = (name: string, inner: NodeInit) =>
  attribute.graph(name, { node: [inner], output: [value(inner.output[0], FLOAT)] });

/** A result `r` of two or three dimensions: the condition decides. */
const oneOfTwo = (condition: string): NodeInit =>
  node(
    'If',
    [condition],
    ['r'],
    [
      branch('then_branch', node('Squeeze', ['x', 'first'], ['two'])),
      branch('else_branch', node('Identity', ['x'], ['three'])),
    ],
  );

const model = (nodes: readonly NodeInit[], condition = 'c', before: readonly NodeInit[] = []): ModelInit => ({
  graph: {
    node: [...before, oneOfTwo(condition), ...nodes],
    initializer: [int64s('first', [0]), int64s('one', [1]), int64s('last', [2]), floats('w', [4, 2, 1])],
    input: [value('x', FLOAT, [1, 2, 'n']), value('c', BOOL, [])],
    output: [value('y')],
  },
});

const feeds = new Map([
  ['x', float32([1, 2, 5], [1, -2, 3, -4, 5, -6, 7, -8, 9, -10])],
  ['c', { dtype: 'bool' as const, shape: [], bytes: Uint8Array.of(1) }],
]);

const relu = node('Relu', ['r'], ['y']);
const convolution = [
  node('Unsqueeze', ['r', 'first'], ['u']),
  node('Relu', ['u'], ['a']),
  node('Conv', ['a', 'w'], ['b']),
  node('Sigmoid', ['b'], ['y']),
];
const joined = [node('Relu', ['r'], ['a']), node('Concat', ['a', 'x'], ['y'], [attribute.int('axis', -1)])];
const unused = [relu, node('Unsqueeze', ['r', 'first'], ['u']), node('Conv', ['u', 'w'], ['unused'])];
const sizeDecides = [
  node('Shape', ['x'], ['shape']),
  node('Gather', ['shape', 'last'], ['size']),
  node('Equal', ['size', 'one'], ['isOne']),
];
const constantsDecide = [node('Equal', ['one', 'one'], ['same'])];
const turned = node('Transpose', ['r'], ['y'], [attribute.ints('perm', [1, 0])]);
const reversed = node('Transpose', ['r'], ['y']);

describe('the rank of a value whose shape ONNX Runtime does not know', () => {
  test.each<[what: string, model: ModelInit, ranks: Record<string, number | undefined>]>([
    ['goes through a convolution', model(convolution), { r: 2, u: 3, a: 3, b: 3, y: 3 }],
    ['is that of the others of a Concat', model(joined), { r: 3, a: 3, y: 3 }],
    ['follows from the order of a Transpose', model([turned]), { r: 2, y: 2 }],
    ['is unknown before a Transpose without order', model([reversed]), { r: undefined, y: undefined }],
    ['does not follow from nodes that never run', model(unused), { r: undefined, y: undefined }],
    ['is unknown if branches differ', model([relu]), { r: undefined, y: undefined }],
    [
      'is unknown if a size of requests decides',
      model([relu], 'isOne', sizeDecides),
      { r: undefined, y: undefined },
    ],
    [
      'is that of the branch for which constants decide',
      model([relu], 'same', constantsDecide),
      { r: 2, y: 2 },
    ],
  ])('%s', (_, given, ranks) => {
    expect(ranksOf(given)).toMatchObject(ranks);
  });

  test.each([
    ['a convolution', model(convolution), 4],
    ['a decided branch', model([relu], 'same', constantsDecide), 1],
  ])('lets every cut run, of %s', async (_, given, least) => {
    expect(await expectSameBitsInEveryCut(saveModel(given), feeds)).toBeGreaterThanOrEqual(least);
  });

  test('keeps the sizes that follow from it', () => {
    expect(shapesOf(model(convolution)).y).toEqual([1, 4, null]);
  });

  test('is what ONNX defines for an STFT and a FeatureVectorizer', () => {
    const inputs = attribute.ints('inputdimensions', [2, 2]);
    const graph = {
      node: [
        node('STFT', ['x', 'step', 'window'], ['s']),
        { ...node('FeatureVectorizer', ['x', 'x'], ['f'], [inputs]), domain: 'ai.onnx.ml' },
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

  test('is found for a node of 200,000 inputs', () => {
    const inputs = [...Array<string>(200_000).fill('r'), 'x'];
    const wide = parseModel(saveModel(model([node('Concat', inputs, ['y'], [attribute.int('axis', -1)])])));
    const valueOf = (wanted: string): number => wide.graph.values.findIndex(({ name }) => name === wanted);
    const ranks = ranksByRule(wide, (index) => (index === valueOf('x') ? [1, 2, 5] : null));
    expect(ranks.get(valueOf('r'))).toBe(3);
  });
});
