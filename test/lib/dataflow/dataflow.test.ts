/** The order of the nodes, what they need, and which random operators are refused. */
import { analyzeDataflow } from '../../../lib/dataflow/dataflow';
import { MAX_FUNCTION_DEPTH } from '../../../lib/onnx/limits';
import { parseModel } from '../../../lib/onnx/parse';
import { graphOf, nodesOf } from '../../support/graph-text';
import {
  type GraphInit,
  type ModelInit,
  type NodeInit,
  BOOL,
  FLOAT,
  attribute,
  callOf,
  choice,
  floats,
  functionsOf,
  node,
  saveModel,
  value,
} from '../../support/model-builder';

function analyze(graph: GraphInit, rest: Partial<ModelInit> = {}) {
  const dataflow = analyzeDataflow(parseModel(saveModel({ graph, ...rest })));
  const { nodes, values } = dataflow.model.graph;
  const names = dataflow.order.map((index) => values[nodes[index].outputs[0]].name).join(' ');
  return { dataflow, names };
}

const w = floats('w', [4]);
const seed = (f: number) => ({ name: 'seed', f, type: 1 });

/** Both branches of an `If` run the node. */
function ifOf(branch: NodeInit): GraphInit {
  return graphOf([...nodesOf('Abs x > a'), choice('c', 'y', [branch])], {
    input: [value('x', FLOAT, [4]), value('c', BOOL, [])],
  });
}

const generated = graphOf([
  node('RandomNormal', [], ['r'], [seed(1), attribute.ints('shape', [4])]),
  node('Add', ['x', 'r'], ['y']),
]);

test.each<[what: string, graph: GraphInit, order: string]>([
  ['is that of a sorted graph', graphOf('Abs x > a; Neg x > b; Add a b > y'), 'a b y'],
  ['sorts an unsorted graph', graphOf('Add a b > y; Neg a > b; Abs x > a'), 'a b y'],
  ['leaves out nodes that no output needs', graphOf('Abs x > unused; Neg x > y'), 'y'],
  // The sequence of a seeded generator continues from run to run.
  ['has a seeded generator, which stays in one slice', generated, 'r y'],
  ['has Dropout without training', graphOf('Dropout x w > y', { initializer: [w] }), 'y'],
])('the order %s', (_, graph, order) => {
  expect(analyze(graph).names).toBe(order);
});

const noise = node('RandomNormalLike', ['a'], ['b']);
const uniform = node('RandomUniformLike', ['s'], ['b']);
const ofFunction = graphOf([callOf('Noise', ['x'], ['y'])]);

const seeded = node('RandomNormalLike', ['a'], ['s'], [seed(3)]);
const seedOfCaller = [{ name: 'seed', refAttrName: 's', type: 1 }];
const byCaller = node('RandomNormalLike', ['a'], ['b'], seedOfCaller);
const dropout = graphOf('Dropout x ratio training > y', {
  initializer: [
    floats('ratio', [], [0.5]),
    { name: 'training', dataType: BOOL, dims: [], rawData: new Uint8Array([1]) },
  ],
});
/** The deepest allowed chain of calls. */
const chain = Array.from({ length: MAX_FUNCTION_DEPTH }, (_, index) => [
  `F${index}`,
  [index === MAX_FUNCTION_DEPTH - 1 ? noise : callOf(`F${index + 1}`, ['a'], ['b'])],
]);
const deep = functionsOf(Object.fromEntries(chain) as Record<string, NodeInit[]>);
const ofChain = graphOf([callOf('F0', ['x'], ['y'])]);

test.each<[what: string, got: string, graph: GraphInit, functions?: Partial<ModelInit>]>([
  ['a random operator', 'RandomNormalLike: add a `seed` attribute', graphOf('RandomNormalLike x > y')],
  ['one in a body', 'RandomNormalLike', ifOf(node('RandomNormalLike', ['x'], ['out']))],
  ['one after a seeded operator', 'RandomUniformLike', ofFunction, functionsOf({ Noise: [seeded, uniform] })],
  ['one whose caller sets the seed', 'RandomNormalLike', ofFunction, functionsOf({ Noise: [byCaller] })],
  ['one behind many calls', 'RandomNormalLike', ofChain, deep],
  ['Dropout with its input of training', 'Dropout: export the model for inference', dropout],
])('%s without a seed is refused', (_, got, graph, functions = {}) => {
  expect(() => analyze(graph, functions)).toThrow(
    `must compute the same result in every run, got an unseeded ${got}`,
  );
});
