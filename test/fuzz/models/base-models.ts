/** Small valid models with every construct that the parser knows; the mutations start from them. */
import * as fc from 'fast-check';
import {
  attribute,
  BOOL,
  encodeModel,
  FLOAT,
  FLOAT16,
  floats,
  type GraphInit,
  INT64,
  int64s,
  mlp,
  type ModelInit,
  node,
  type NodeInit,
  STRING,
  value,
} from '../../support/model-builder';
import { randomModel } from '../../support/random-graph';

const RANDOM_MODELS = 8;

const OPSETS = ['', 'local'].map((domain) => ({ domain, version: domain === '' ? 17 : 1 }));

const inits: Readonly<Record<string, ModelInit>> = {
  mlp: mlp(3),
  'inputs as weights': inputsAsWeights(),
  scan: scanModel(),
  functions: functionsModel(),
  sparse: {
    graph: graph([node('MatMul', ['x', 's'], ['m']), node('Tanh', ['m'], ['y'])], {
      sparseInitializer: [{ values: floats('s', [3]), indices: int64s('', [0, 5, 9]), dims: [4, 4] }],
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
  strings: stringsModel(),
  float16: {
    graph: graph([cast('x', 'h', FLOAT16), node('Add', ['h', 'w'], ['a']), cast('a', 'y', FLOAT)], {
      initializer: [{ name: 'w', dataType: FLOAT16, dims: [4], rawData: new Uint8Array(8) }],
    }),
  },
  constants: constantsModel(),
  external: externalModel(),
};

/** With names. The random ones have If, Loop and Split. */
export const BASE_MODELS: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ...Object.entries(inits),
  ...fc
    .sample(randomModel, { seed: 1, numRuns: RANDOM_MODELS })
    .map((init, index): [string, ModelInit] => [`random ${index}`, init]),
].map(([name, init]) => [name, encodeModel(init)]);

/** A graph from `x` to `y`. */
function graph(nodes: readonly NodeInit[], more: Partial<GraphInit> = {}): GraphInit {
  return { node: nodes, input: [value('x', FLOAT, ['n', 4])], output: [value('y', FLOAT)], ...more };
}

function cast(from: string, to: string, type: number): NodeInit {
  return node('Cast', [from], [to], [attribute.int('to', type)]);
}

function inputsAsWeights(): ModelInit {
  const { graph } = mlp(2);
  const weights = (graph.initializer ?? []).map(({ name, dims }) => value(name, FLOAT, dims));
  return { graph: { ...graph, input: [...(graph.input ?? []), ...weights] }, irVersion: 3 };
}

function scanModel(): ModelInit {
  const body = {
    node: [node('Add', ['s', 'row'], ['s_out']), node('Identity', ['s_out'], ['row_out'])],
    input: [value('s', FLOAT, [4]), value('row', FLOAT, [4])],
    output: [value('s_out', FLOAT, [4]), value('row_out', FLOAT, [4])],
  };
  const attributes = [attribute.graph('body', body), attribute.int('num_scan_inputs', 1)];
  const scan = node('Scan', ['start', 'x'], ['last', 'rows'], attributes);
  return {
    graph: graph([scan, node('Add', ['rows', 'last'], ['y'])], { initializer: [floats('start', [4])] }),
  };
}

/** A model with functions of its own, each from `a` to `b`. */
export function withFunctions(
  model: ModelInit,
  functions: Readonly<Record<string, readonly NodeInit[]>>,
): ModelInit {
  const own = Object.entries(functions).map(([name, nodes]) => ({
    ...{ name, domain: 'local', input: ['a'], output: ['b'], node: nodes, opsetImport: OPSETS },
  }));
  return { ...model, functions: own, opsetImport: OPSETS };
}

/** Calls a function of the model. */
export function callOf(name: string, input: string, output: string): NodeInit {
  return { ...node(name, [input], [output]), domain: 'local' };
}

function functionsModel(): ModelInit {
  const nodes = [callOf('Twice', 'x', 'p'), callOf('Fourfold', 'p', 'q'), node('Neg', ['q'], ['y'])];
  return withFunctions(
    { graph: graph(nodes) },
    {
      Twice: [node('Add', ['a', 'a'], ['b'])],
      Fourfold: [callOf('Twice', 'a', 'm'), callOf('Twice', 'm', 'b')],
    },
  );
}

function stringsModel(): ModelInit {
  const upper = { name: 'case_change_action', s: Buffer.from('UPPER'), type: 3 };
  const words = ['A', 'B'].map((word) => Buffer.from(word));
  return {
    graph: {
      node: [node('StringNormalizer', ['s'], ['n'], [upper]), node('Equal', ['n', 'words'], ['y'])],
      initializer: [{ name: 'words', dataType: STRING, dims: [2], stringData: words }],
      input: [value('s', STRING, [2])],
      output: [value('y', BOOL)],
    },
  };
}

function constantsModel(): ModelInit {
  const nodes = [
    node('Constant', [], ['c'], [attribute.tensor('value', floats('', [64, 4]))]),
    node('Tanh', ['c'], ['d']),
    node('ReduceMean', ['d'], ['e'], [attribute.ints('axes', [0])]),
    node('Add', ['x', 'e'], ['f']),
    node('Reshape', ['f', 'shape'], ['g']),
    cast('g', 'i', INT64),
    cast('i', 'y', FLOAT),
  ];
  const initializer = [{ name: 'shape', dataType: INT64, dims: [1], int64Data: [-1] }];
  return { graph: graph(nodes, { initializer }) };
}

function externalModel(): ModelInit {
  const external = (name: string, dims: readonly number[], offset: number) => ({
    ...{ name, dataType: FLOAT, dims, dataLocation: 1 },
    externalData: Object.entries({ location: 'w.bin', offset: String(offset) }).map(([key, value]) => ({
      key,
      value,
    })),
  });
  const nodes = [
    node('MatMul', ['x', 'u'], ['p']),
    node('Add', ['p', 'v'], ['q']),
    node('Constant', [], ['k'], [attribute.tensor('value', external('', [4], 4096))]),
    node('Mul', ['q', 'k'], ['y']),
  ];
  return { graph: graph(nodes, { initializer: [external('u', [4, 512], 0), external('v', [512], 4096)] }) };
}
