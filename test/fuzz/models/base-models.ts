/** Small valid models with every construct that the parser knows; the mutations start from them. */
import * as fc from 'fast-check';
import {
  attribute,
  BOOL,
  callOf,
  encodeModel,
  external,
  FLOAT,
  floats,
  functionsOf,
  INT64,
  mlp,
  type ModelInit,
  modelOf,
  node,
  type NodeInit,
  STRING,
  type TensorInit,
  value,
} from '../../support/model-builder';
import { randomModel } from '../../support/random-graph';

const RANDOM_MODELS = 8;

const cast = (from: string, to: string, type: number) =>
  node('Cast', [from], [to], [attribute.int('to', type)]);

const scanBody = {
  node: [node('Add', ['s', 'row'], ['s_out']), node('Identity', ['s_out'], ['row_out'])],
  input: ['s', 'row'].map((name) => value(name, FLOAT, [4])),
  output: ['s_out', 'row_out'].map((name) => value(name, FLOAT, [4])),
};
const scan = [attribute.graph('body', scanBody), attribute.int('num_scan_inputs', 1)];

const inWeights = (name: string, dims: readonly number[], offset: number) =>
  external(name, dims, { location: 'w.bin', offset: String(offset) });

const upper = { name: 'case_change_action', s: Buffer.from('UPPER'), type: 3 };
const words = { name: 'words', dataType: STRING, dims: [2], stringData: [Buffer.of(65), Buffer.of(66)] };

const inits: Readonly<Record<string, ModelInit>> = {
  mlp: mlp(3),
  'inputs as weights': inputsAsWeights(),
  scan: model(
    [node('Scan', ['start', 'x'], ['last', 'rows'], scan), node('Add', ['rows', 'last'], ['y'])],
    [floats('start', [4])],
  ),
  functions: {
    ...model([callOf('Twice', ['x'], ['p']), callOf('Fourfold', ['p'], ['q']), node('Neg', ['q'], ['y'])]),
    ...functionsOf({
      Twice: [node('Add', ['a', 'a'], ['b'])],
      Fourfold: [callOf('Twice', ['a'], ['m']), callOf('Twice', ['m'], ['b'])],
    }),
  },
  annotated: {
    graph: {
      ...mlp(1).graph,
      quantizationAnnotation: [
        { tensorName: 'w0', quantParameterTensorNames: [{ key: 'SCALE_TENSOR', value: 'b0' }] },
      ],
    },
    metadataProps: [{ key: 'author', value: 'tests' }],
  },
  strings: model(
    [node('StringNormalizer', ['s'], ['n'], [upper]), node('Equal', ['n', 'words'], ['y'])],
    [words],
    { input: [value('s', STRING, [2])], output: [value('y', BOOL)] },
  ),
  constants: model(
    [
      node('Constant', [], ['c'], [attribute.tensor('value', floats('', [64, 4]))]),
      node('Tanh', ['c'], ['d']),
      node('ReduceMean', ['d'], ['e'], [attribute.ints('axes', [0])]),
      node('Add', ['x', 'e'], ['f']),
      node('Reshape', ['f', 'shape'], ['g']),
      cast('g', 'i', INT64),
      cast('i', 'y', FLOAT),
    ],
    [{ name: 'shape', dataType: INT64, dims: [1], int64Data: [-1] }],
  ),
  external: model(
    [
      node('MatMul', ['x', 'u'], ['p']),
      node('Add', ['p', 'v'], ['q']),
      node('Constant', [], ['k'], [attribute.tensor('value', inWeights('', [4], 4096))]),
      node('Mul', ['q', 'k'], ['y']),
    ],
    [inWeights('u', [4, 512], 0), inWeights('v', [512], 4096)],
  ),
};

/** With names. The random ones have If, Loop and Split. */
export const BASE_MODELS: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ...Object.entries(inits),
  ...fc
    .sample(randomModel, { seed: 1, numRuns: RANDOM_MODELS })
    .map((init, index): [string, ModelInit] => [`random ${index}`, init]),
].map(([name, init]) => [name, encodeModel(init)]);

/** A model from `x` to `y`. */
function model(
  nodes: readonly NodeInit[],
  weights: readonly TensorInit[] = [],
  graph: object = {},
): ModelInit {
  const { graph: own } = modelOf(nodes, { x: ['n', 4] }, weights);
  return { graph: { ...own, ...graph } };
}

function inputsAsWeights(): ModelInit {
  const { graph } = mlp(2);
  const weights = (graph.initializer ?? []).map(({ name, dims }) => value(name, FLOAT, dims));
  return { graph: { ...graph, input: [...(graph.input ?? []), ...weights] }, irVersion: 3 };
}
