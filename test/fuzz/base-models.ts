/** Small valid models with every construct that the parser knows; the mutations start from them. */
import * as fc from 'fast-check';
import type { GraphInit, ModelInit } from '../support/model-builder';
import {
  BOOL,
  FLOAT,
  FLOAT16,
  INT64,
  STRING,
  attribute,
  encodeModel,
  floats,
  int64s,
  mlp,
  node,
  value,
} from '../support/model-builder';
import { randomModel } from '../support/random-graph';

export interface BaseModel {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A file beside every model, see `BESIDE_MODEL`. */
const WEIGHTS_FILE = 'w.bin';

const x = value('x', FLOAT, ['n', 4]);
const y = value('y', FLOAT);
const RANDOM_MODELS = 8;

const inits: Readonly<Record<string, ModelInit>> = {
  mlp: mlp(3),
  'inputs as weights': { ...inputsAsWeights(), irVersion: 3 },
  if: { graph: ifGraph() },
  loop: { graph: loopGraph() },
  scan: { graph: scanGraph() },
  functions: functionsModel(),
  sparse: { graph: sparseGraph() },
  annotated: {
    graph: {
      ...mlp(1).graph,
      quantizationAnnotation: [
        { tensorName: 'w0', quantParameterTensorNames: [{ key: 'SCALE_TENSOR', value: 'b0' }] },
      ],
    },
    metadataProps: [{ key: 'author', value: 'tests' }],
  },
  strings: { graph: stringsGraph() },
  float16: { graph: float16Graph() },
  constants: { graph: constantsGraph() },
  external: { graph: externalGraph() },
};

export function baseModels(): readonly BaseModel[] {
  const random = fc.sample(randomModel, { seed: 1, numRuns: RANDOM_MODELS });
  const all: [string, ModelInit][] = [
    ...Object.entries(inits),
    ...random.map((init, index): [string, ModelInit] => [`random ${index}`, init]),
  ];
  return all.map(([name, init]) => ({
    name,
    bytes: encodeModel(init),
  }));
}

function inputsAsWeights(): ModelInit {
  const { graph } = mlp(2);
  const weights = (graph.initializer ?? []).map(({ name, dims }) => value(name, FLOAT, dims));
  return { graph: { ...graph, input: [...(graph.input ?? []), ...weights] } };
}

function ifGraph(): GraphInit {
  const inner = { node: [node('Add', ['a', 'w'], ['inner'])], output: [value('inner', FLOAT)] };
  const outer = {
    node: [
      node(
        'If',
        ['c'],
        ['out'],
        [attribute.graph('then_branch', inner), attribute.graph('else_branch', inner)],
      ),
    ],
    output: [value('out', FLOAT)],
  };
  return {
    node: [
      node('Abs', ['x'], ['a']),
      node(
        'If',
        ['c'],
        ['b'],
        [attribute.graph('then_branch', outer), attribute.graph('else_branch', inner)],
      ),
      node('Neg', ['b'], ['y']),
    ],
    initializer: [floats('w', [4])],
    input: [x, value('c', BOOL, [])],
    output: [y],
  };
}

function loopGraph(): GraphInit {
  const body = {
    node: [node('Identity', ['keep'], ['keep_out']), node('Add', ['state', 'a'], ['state_out'])],
    input: [value('i', INT64, []), value('keep', BOOL, []), value('state', FLOAT)],
    output: [value('keep_out', BOOL, []), value('state_out', FLOAT)],
  };
  return {
    node: [
      node('Abs', ['x'], ['a']),
      node('Loop', ['trips', '', 'x'], ['l'], [attribute.graph('body', body)]),
      node('Neg', ['l'], ['y']),
    ],
    initializer: [int64s('trips', [3], [])],
    input: [x],
    output: [y],
  };
}

function scanGraph(): GraphInit {
  const body = {
    node: [node('Add', ['s', 'row'], ['s_out']), node('Identity', ['s_out'], ['row_out'])],
    input: [value('s', FLOAT, [4]), value('row', FLOAT, [4])],
    output: [value('s_out', FLOAT, [4]), value('row_out', FLOAT, [4])],
  };
  return {
    node: [
      node(
        'Scan',
        ['start', 'x'],
        ['last', 'rows'],
        [attribute.graph('body', body), attribute.int('num_scan_inputs', 1)],
      ),
      node('Add', ['rows', 'last'], ['y']),
    ],
    initializer: [floats('start', [4])],
    input: [x],
    output: [y],
  };
}

function functionsModel(): ModelInit {
  const fn = (name: string, nodes: readonly object[]): object => ({
    name,
    domain: 'local',
    input: ['a'],
    output: ['b'],
    node: nodes,
    opsetImport: [
      { domain: '', version: 17 },
      { domain: 'local', version: 1 },
    ],
  });
  const call = (name: string, input: string, output: string) => ({
    ...node(name, [input], [output]),
    domain: 'local',
  });
  return {
    graph: {
      node: [call('Twice', 'x', 'p'), call('Fourfold', 'p', 'q'), node('Neg', ['q'], ['y'])],
      input: [x],
      output: [y],
    },
    functions: [
      fn('Twice', [node('Add', ['a', 'a'], ['b'])]),
      fn('Fourfold', [call('Twice', 'a', 'm'), call('Twice', 'm', 'b')]),
    ],
    opsetImport: [
      { domain: '', version: 17 },
      { domain: 'local', version: 1 },
    ],
  };
}

function sparseGraph(): GraphInit {
  return {
    node: [node('MatMul', ['x', 's'], ['m']), node('Tanh', ['m'], ['y'])],
    sparseInitializer: [{ values: floats('s', [3]), indices: int64s('', [0, 5, 9]), dims: [4, 4] }],
    input: [x],
    output: [y],
  };
}

function stringsGraph(): GraphInit {
  return {
    node: [
      node(
        'StringNormalizer',
        ['s'],
        ['n'],
        [{ name: 'case_change_action', s: Buffer.from('UPPER'), type: 3 }],
      ),
      node('Equal', ['n', 'words'], ['y']),
    ],
    initializer: [
      { name: 'words', dataType: STRING, dims: [2], stringData: ['A', 'B'].map((w) => Buffer.from(w)) },
    ],
    input: [value('s', STRING, [2])],
    output: [value('y', BOOL)],
  };
}

function float16Graph(): GraphInit {
  return {
    node: [
      node('Cast', ['x'], ['h'], [attribute.int('to', FLOAT16)]),
      node('Add', ['h', 'w'], ['a']),
      node('Cast', ['a'], ['y'], [attribute.int('to', FLOAT)]),
    ],
    initializer: [{ name: 'w', dataType: FLOAT16, dims: [4], rawData: new Uint8Array(8) }],
    input: [x],
    output: [y],
  };
}

function constantsGraph(): GraphInit {
  return {
    node: [
      node('Constant', [], ['c'], [attribute.tensor('value', floats('', [64, 4]))]),
      node('Tanh', ['c'], ['d']),
      node('ReduceMean', ['d'], ['e'], [attribute.ints('axes', [0])]),
      node('Add', ['x', 'e'], ['f']),
      node('Reshape', ['f', 'shape'], ['g']),
      node('Cast', ['g'], ['i'], [attribute.int('to', INT64)]),
      node('Cast', ['i'], ['y'], [attribute.int('to', FLOAT)]),
    ],
    initializer: [{ name: 'shape', dataType: INT64, dims: [1], int64Data: [-1] }],
    input: [x],
    output: [y],
  };
}

function externalGraph(): GraphInit {
  const external = (name: string, dims: readonly number[], offset: number) => ({
    name,
    dataType: FLOAT,
    dims,
    dataLocation: 1,
    externalData: [
      { key: 'location', value: WEIGHTS_FILE },
      { key: 'offset', value: String(offset) },
    ],
  });
  return {
    node: [
      node('MatMul', ['x', 'u'], ['p']),
      node('Add', ['p', 'v'], ['q']),
      node('Constant', [], ['k'], [attribute.tensor('value', external('', [4], 4096))]),
      node('Mul', ['q', 'k'], ['y']),
    ],
    initializer: [external('u', [4, 512], 0), { ...external('v', [512], 4096) }],
    input: [x],
    output: [y],
  };
}
