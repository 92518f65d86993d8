/** Models that call local functions are cut inside of them, and compute the same bits. */
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { nodesOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  type NodeInit,
  BOOL,
  FLOAT,
  attribute,
  floats,
  modelOf,
  node,
  saveModel,
  value,
} from '../../support/model-builder';
import { expectSameBitsInEveryCut } from '../../support/run-slices';
import { float32 } from '../../support/tensors';

analyzeFast();

const opsetImport = ['', 'own'].map((domain) => ({ domain, version: domain === '' ? 17 : 1 }));

const local = (name: string, body: NodeInit[], more: object = {}) => ({
  ...{ domain: 'own', name, input: ['a'], output: ['b'], node: body, opsetImport, ...more },
});

function call(opType: string, input: string[], output: string, more: object = {}): NodeInit {
  return { ...node(opType, input, [output]), domain: 'own', ...more };
}

/** A model of calls whose input is `x` and whose output is `y`. */
function model(calls: NodeInit[], functions: object[], irVersion = 9): ModelInit {
  const inputs = { x: ['n', 4], c: { type: BOOL, dims: [] } };
  return modelOf(calls, inputs, [floats('w', [4])], { irVersion, opsetImport, functions });
}

const rows = Array.from({ length: 12 }, (_, index) => Math.sin(index) / 2);
const feeds = new Map<string, RawTensor>([
  ['x', float32([3, 4], rows)],
  ['c', { dtype: 'bool', shape: [], bytes: Uint8Array.of(1) }],
]);

const shift = local('Shift', nodesOf('Tanh a > t; Exp t > e; Neg e > b'));
const twice = local('Twice', [call('Shift', ['a'], 's'), call('Shift', ['s'], 'b')]);
const branches = [
  attribute.graph('then_branch', { node: [call('Shift', ['e'], 'u')], output: [value('u', FLOAT)] }),
  attribute.graph('else_branch', { node: nodesOf('Abs a > v'), output: [value('v', FLOAT)] }),
];

const bound = local('Bound', nodesOf('Tanh a > t; Clip t low > b'), { input: ['a', 'low'] });
const choice = [...nodesOf('Exp a > e'), node('If', ['q'], ['b'], branches)];
const choose = local('Choose', choice, { input: ['a', 'q'] });
const chosen = [...nodesOf('Tanh x > t'), call('Choose', ['t', 'c'], 'z'), ...nodesOf('Neg z > y')];
const overloads = [
  local('F', nodesOf('Tanh a > t; Exp t > b'), { overload: 'one' }),
  local('F', nodesOf('Abs a > t; Neg t > b'), { overload: 'two' }),
];
const overloaded = [call('F', ['x'], 'z', { overload: 'one' }), call('F', ['z'], 'y', { overload: 'two' })];
const soft = nodesOf('Softmax a > s axis=1; Exp s > b');
const old = local('Soft', soft, { opsetImport: [{ domain: '', version: 12 }] });

test.each<[string, ModelInit, number]>([
  ['a function', model([call('Shift', ['x'], 'y')], [shift]), 3],
  ['nested functions', model([call('Twice', ['x'], 'z'), call('Twice', ['z'], 'y')], [twice, shift]), 12],
  ['an omitted input', model([call('Bound', ['x', ''], 'z'), ...nodesOf('Exp z > y')], [bound]), 3],
  ['a function with an If whose bodies use its input', model(chosen, [choose, shift]), 4],
  ['overloads of a function', model(overloaded, overloads, 10), 4],
  // Not one of another opset than the model: its calls in a row stay in one slice.
  ['an old function', model([call('Soft', ['x'], 'z'), call('Soft', ['z'], 'y')], [old]), 2],
])('a model is cut inside of %s', async (_, init, slices) => {
  expect(await expectSameBitsInEveryCut(saveModel(init), feeds)).toBe(slices);
});
