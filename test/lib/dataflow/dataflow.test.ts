/** The order of the nodes, what they need, and which random operators are refused. */
import { analyzeDataflow, repeatedClosure } from '../../../lib/dataflow/dataflow';
import { MAX_FUNCTION_DEPTH } from '../../../lib/onnx/limits';
import { parseModel } from '../../../lib/onnx/parse';
import { graphOf, nodesOf } from '../../support/graph-text';
import {
  type GraphInit,
  type NodeInit,
  BOOL,
  FLOAT,
  attribute,
  floats,
  node,
  saveModel,
  value,
} from '../../support/model-builder';

function analyze(graph: GraphInit, functions: readonly object[] = []) {
  const dataflow = analyzeDataflow(parseModel(saveModel({ graph, functions })));
  const { nodes, values } = dataflow.model.graph;
  const nameOf = (index: number): string => values[index].name;
  return {
    dataflow,
    nameOf,
    names: dataflow.order.map((index) => nameOf(nodes[index].outputs[0])).join(' '),
  };
}

const w = floats('w', [4]);
const seed = (f: number) => ({ name: 'seed', f, type: 1 });

/** Both branches of an `If` run the node. */
function ifOf(branch: NodeInit): GraphInit {
  const body = { node: [branch], output: [value('out', FLOAT)] };
  const bodies = [attribute.graph('then_branch', body), attribute.graph('else_branch', body)];
  return graphOf([...nodesOf('Abs x > a'), node('If', ['c'], ['y'], bodies)], {
    input: [value('x', FLOAT, [4]), value('c', BOOL, [])],
  });
}

const local = (name: string, body: NodeInit[]) => ({
  ...{ domain: 'local', name, input: ['a'], output: ['b'], node: body },
  opsetImport: [{ domain: '', version: 17 }],
});
const call = (name: string, from: string, to: string): NodeInit => ({
  ...node(name, [from], [to]),
  domain: 'local',
});

test.each<[what: string, graph: GraphInit, order: string]>([
  ['is that of a sorted graph', graphOf('Abs x > a; Neg x > b; Add a b > y'), 'a b y'],
  ['sorts an unsorted graph', graphOf('Add a b > y; Neg a > b; Abs x > a'), 'a b y'],
  ['leaves out nodes that no output needs', graphOf('Abs x > unused; Neg x > y'), 'y'],
  ['leaves out random nodes that no output needs', graphOf('RandomNormalLike x > r; Abs x > y'), 'y'],
  [
    // The sequence of a seeded generator continues from run to run.
    'has a seeded generator, which stays in one slice',
    graphOf([
      node('RandomNormal', [], ['r'], [seed(1), attribute.ints('shape', [4])]),
      node('Add', ['x', 'r'], ['y']),
    ]),
    'r y',
  ],
  ['has Dropout without training', graphOf('Dropout x w > y', { initializer: [w] }), 'y'],
])('the order %s', (_, graph, order) => {
  expect(analyze(graph).names).toBe(order);
});

test('constant nodes are in no slice, and are found for the nodes that need them', () => {
  const constant = node('Constant', [], ['c'], [attribute.tensor('value', floats('', [4]))]);
  const graph = graphOf([constant, ...nodesOf('Add c w > d; Mul x d > y')], { initializer: [w] });
  const { dataflow, names } = analyze(graph);
  expect(names).toBe('y');
  expect([...repeatedClosure(dataflow, dataflow.needs[2])].sort()).toEqual([0, 1]);
});

test('the captures of body graphs are needs', () => {
  const { dataflow, nameOf } = analyze(ifOf(node('Neg', ['a'], ['out'])));
  expect(dataflow.needs[1].map(nameOf).sort()).toEqual(['a', 'c']);
});

const noise = node('RandomNormalLike', ['a'], ['b']);
const ofFunction = graphOf([call('Noise', 'x', 'y')]);

test.each<[what: string, graph: GraphInit, functions: object[], got: string]>([
  [
    'a cyclic graph',
    graphOf('Add x b > a; Neg a > b; Abs b > y'),
    [],
    "node 'Add_a' (Add) must not depend on itself, got a cyclic graph: ",
  ],
  [
    'a random operator without a seed',
    graphOf('RandomNormalLike x > y'),
    [],
    'must compute the same result in every run, got an unseeded RandomNormalLike: add a `seed` attribute',
  ],
  ['one in a body', ifOf(node('RandomNormalLike', ['x'], ['out'])), [], 'an unseeded RandomNormalLike'],
  ['one in a function', ofFunction, [local('Noise', [noise])], 'an unseeded RandomNormalLike'],
  [
    'one after a seeded operator',
    ofFunction,
    [
      local('Noise', [
        node('RandomNormalLike', ['a'], ['s'], [seed(3)]),
        node('RandomUniformLike', ['s'], ['b']),
      ]),
    ],
    'an unseeded RandomUniformLike',
  ],
  [
    'one whose caller sets the seed',
    ofFunction,
    [local('Noise', [node('RandomNormalLike', ['a'], ['b'], [{ name: 'seed', refAttrName: 's', type: 1 }])])],
    'an unseeded RandomNormalLike',
  ],
  [
    'one behind the deepest allowed chain of calls',
    graphOf([call('F0', 'x', 'y')]),
    Array.from({ length: MAX_FUNCTION_DEPTH }, (_, index) =>
      local(`F${index}`, [index === MAX_FUNCTION_DEPTH - 1 ? noise : call(`F${index + 1}`, 'a', 'b')]),
    ),
    'an unseeded RandomNormalLike',
  ],
  [
    'Dropout with its input of training',
    graphOf('Dropout x ratio training > y', {
      initializer: [
        floats('ratio', [], [0.5]),
        { name: 'training', dataType: BOOL, dims: [], rawData: new Uint8Array([1]) },
      ],
    }),
    [],
    'an unseeded Dropout: export the model for inference, without training_mode',
  ],
])('refuses %s', (_, graph, functions, got) => {
  expect(() => analyze(graph, functions)).toThrow(got);
});
