/** Models that call local functions are cut inside of them, and compute the same bits. */
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { analyzeModel } from '../../../lib/compile/analyze';
import { nodesOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  type NodeInit,
  BOOL,
  FLOAT,
  attribute,
  floats,
  node,
  saveModel,
  value,
} from '../../support/model-builder';
import { expectSameBitsInEveryCut } from '../../support/run-slices';
import { float32 } from '../../support/tensors';

analyzeFast();

const OPSETS = [
  { domain: '', version: 17 },
  { domain: 'own', version: 1 },
];

interface FunctionShape {
  readonly name: string;
  readonly node: NodeInit[];
  readonly input?: string[];
  readonly attribute?: string[];
  readonly overload?: string;
  readonly opsetImport?: typeof OPSETS;
}

function local({ input = ['a'], ...rest }: FunctionShape) {
  return { domain: 'own', input, output: ['b'], opsetImport: OPSETS, ...rest };
}

function call(opType: string, input: string[], output: string, more: object = {}): NodeInit {
  return { ...node(opType, input, [output]), domain: 'own', ...more };
}

/** A model of calls whose input is `x` and whose output is `y`. */
function model(calls: NodeInit[], functions: ReturnType<typeof local>[], irVersion = 9): ModelInit {
  return {
    irVersion,
    opsetImport: OPSETS,
    functions,
    graph: {
      node: calls,
      initializer: [floats('w', [4])],
      input: [value('x', FLOAT, ['n', 4]), value('c', BOOL, [])],
      output: [value('y', FLOAT)],
    },
  };
}

const feeds = new Map<string, RawTensor>([
  [
    'x',
    float32(
      [3, 4],
      [...Array(12).keys()].map((index) => Math.sin(index) / 2),
    ),
  ],
  ['c', { dtype: 'bool', shape: [], bytes: Uint8Array.of(1) }],
]);

const shift = local({ name: 'Shift', node: nodesOf('Tanh a > t; Exp t > e; Neg e > b') });
const twice = local({ name: 'Twice', node: [call('Shift', ['a'], 's'), call('Shift', ['s'], 'b')] });
const branches = [
  attribute.graph('then_branch', { node: [call('Shift', ['e'], 'u')], output: [value('u', FLOAT)] }),
  attribute.graph('else_branch', { node: nodesOf('Abs a > v'), output: [value('v', FLOAT)] }),
];

describe('a model that calls local functions', () => {
  test.each<[string, ModelInit, number]>([
    ['a function', model([call('Shift', ['x'], 'y')], [shift]), 3],
    ['nested functions', model([call('Twice', ['x'], 'z'), call('Twice', ['z'], 'y')], [twice, shift]), 12],
    [
      'a function with an attribute',
      model(
        [call('Leak', ['x'], 'y', { attribute: [{ name: 'slope', f: 0.3, type: 1 }] })],
        [
          local({
            name: 'Leak',
            attribute: ['slope'],
            node: [
              ...nodesOf('Tanh a > t'),
              node('LeakyRelu', ['t'], ['l'], [{ name: 'alpha', type: 1, refAttrName: 'slope' }]),
              ...nodesOf('Exp l > b'),
            ],
          }),
        ],
      ),
      3,
    ],
    [
      'a function whose last input is omitted',
      model(
        [call('Bound', ['x', ''], 'z'), ...nodesOf('Exp z > y')],
        [local({ name: 'Bound', input: ['a', 'low'], node: nodesOf('Tanh a > t; Clip t low > b') })],
      ),
      3,
    ],
    [
      'a function with an If whose bodies use its input',
      model(
        [...nodesOf('Tanh x > t'), call('Choose', ['t', 'c'], 'z'), ...nodesOf('Neg z > y')],
        [
          local({
            name: 'Choose',
            input: ['a', 'q'],
            node: [...nodesOf('Exp a > e'), node('If', ['q'], ['b'], branches)],
          }),
          shift,
        ],
      ),
      4,
    ],
    [
      'overloads of a function',
      model(
        [call('F', ['x'], 'z', { overload: 'one' }), call('F', ['z'], 'y', { overload: 'two' })],
        [
          local({ name: 'F', overload: 'one', node: nodesOf('Tanh a > t; Exp t > b') }),
          local({ name: 'F', overload: 'two', node: nodesOf('Abs a > t; Neg t > b') }),
        ],
        10,
      ),
      4,
    ],
  ])('is cut inside of %s', async (_, init, slices) => {
    expect(await expectSameBitsInEveryCut(saveModel(init), feeds)).toBe(slices);
  });

  test('is cut between calls if a function is of another opset than the model', async () => {
    const opsetImport = [{ domain: '', version: 12 }];
    const soft = local({ name: 'Soft', opsetImport, node: nodesOf('Softmax a > s axis=1; Exp s > b') });
    const file = saveModel(model([call('Soft', ['x'], 'z'), call('Soft', ['z'], 'y')], [soft]));
    expect(await expectSameBitsInEveryCut(file, feeds)).toBe(2);
  });

  test('keeps its own graph if its functions have one node each', () => {
    const one = local({ name: 'One', node: nodesOf('Tanh a > b') });
    const file = saveModel(model([call('One', ['x'], 'z'), call('One', ['z'], 'y')], [one]));
    expect(analyzeModel(file).model.functions).toHaveLength(1);
  });

  test('has the same names inside of its functions each time', () => {
    const names = () =>
      analyzeModel(saveModel(model([call('Twice', ['x'], 'y')], [twice, shift]))).model.graph.values.map(
        ({ name }) => name,
      );
    expect(names()).toEqual(names());
    expect(names().length).toBeGreaterThan(6);
  });
});
