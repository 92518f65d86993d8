import { createHash } from 'node:crypto';
import { parseModel } from '../../../../lib/onnx/parse';
import { graphDigest } from '../../../../lib/plan/file/plan';
import { graphOf, nodesOf } from '../../../support/graph-text';
import {
  type NodeInit,
  type TensorInit,
  attribute,
  floats,
  node,
  saveModel,
} from '../../../support/model-builder';

const opsetImport = ['', 'b'].map((domain) => ({ domain, version: domain === '' ? 17 : 1 }));

function digest(nodes: readonly NodeInit[], weight: TensorInit = floats('w', [4])): string {
  const graph = graphOf(nodes, { initializer: [weight, floats('max', [])] });
  return graphDigest(parseModel(saveModel({ graph, opsetImport })).graph);
}

const nodes = [
  node('Constant', [], ['c'], [attribute.tensor('value', floats('', [4]))]),
  ...nodesOf('Abs x > a; Sub a c > s'),
  { ...node('Own', ['s', 'w'], ['o']), domain: 'b' },
  node('Clip', ['o', '', 'max'], ['l']),
  node('TopK', ['l', 'w'], ['', 'y']),
];

test('the digest hashes domain, operator, inputs and outputs of each node, without omitted ones, in the order of the file', () => {
  const text =
    '["","Constant",[],["c"]]["","Abs",["x"],["a"]]["","Sub",["a","c"],["s"]]["b","Own",["s","w"],["o"]]' +
    '["","Clip",["o","max"],["l"]]["","TopK",["l","w"],["y"]]';
  expect(digest(nodes)).toBe(createHash('sha256').update(text).digest('hex'));
});

test('the digest does not change with the names of nodes and the values of weights', () => {
  const unnamed = nodes.map((each) => ({ ...each, name: '' }));
  expect(digest(unnamed, floats('w', [4], [4, 3, 2, 1]))).toBe(digest(nodes));
});
