import { createHash } from 'node:crypto';
import { parseModel } from '../../../../lib/onnx/parse';
import { graphDigest } from '../../../../lib/plan/file/plan';
import { graphOf, nodesOf } from '../../../support/graph-text';
import {
  type GraphInit,
  FLOAT,
  attribute,
  floats,
  node,
  saveModel,
  value,
} from '../../../support/model-builder';

const opsetImport = ['', 'a', 'b'].map((domain) => ({ domain, version: domain === '' ? 17 : 1 }));
const digest = (graph: GraphInit): string => graphDigest(parseModel(saveModel({ graph, opsetImport })).graph);
const ofNodes = (nodes: Parameters<typeof graphOf>[0], rest: Partial<GraphInit> = {}): GraphInit =>
  graphOf(nodes, { initializer: [floats('w', [4]), floats('max', [])], ...rest });

const base = ofNodes('Abs x > a; Sub a w > y');
const own = (domain: string): GraphInit =>
  ofNodes([...nodesOf('Abs x > a'), { ...node('Own', ['a', 'w'], ['y']), domain }]);

test('the digest does not change with the names of nodes and the values of weights', () => {
  const unnamed = base.node.map((each) => ({ ...each, name: '' }));
  expect(digest(ofNodes(unnamed, { initializer: [floats('w', [4], [4, 3, 2, 1])] }))).toBe(digest(base));
});

const constant = node('Constant', [], ['c'], [attribute.tensor('value', floats('', [4]))]);

test.each<[string, GraphInit, string]>([
  ['in the order of the file', base, '["","Abs",["x"],["a"]]["","Sub",["a","w"],["y"]]'],
  ['of another domain', own('b'), '["","Abs",["x"],["a"]]["b","Own",["a","w"],["y"]]'],
  [
    'without omitted inputs',
    ofNodes([node('Clip', ['x', '', 'max'], ['y'])]),
    '["","Clip",["x","max"],["y"]]',
  ],
  ['without omitted outputs', ofNodes([node('TopK', ['x', 'w'], ['', 'y'])]), '["","TopK",["x","w"],["y"]]'],
  [
    'with the first value of the graph',
    { node: [constant, ...nodesOf('Neg c > y')], output: [value('y', FLOAT)] },
    '["","Constant",[],["c"]]["","Neg",["c"],["y"]]',
  ],
])('the digest hashes domain, operator, inputs and outputs of each node %s', (_, graph, text) => {
  expect(digest(graph)).toBe(createHash('sha256').update(text).digest('hex'));
});
