import { createHash } from 'node:crypto';
import { parseModel } from '../../../../lib/onnx/parse';
import { graphDigest } from '../../../../lib/plan/file/plan';
import { graphOf, nodesOf } from '../../../support/graph-text';
import { attribute, floats, node, saveModel } from '../../../support/model-builder';

const opsetImport = ['', 'b'].map((domain) => ({ domain, version: domain === '' ? 17 : 1 }));

const nodes = [
  node('Constant', [], ['c'], [attribute.tensor('value', floats('', [4]))]),
  ...nodesOf('Abs x > a; Sub a c > s'),
  { ...node('Own', ['s', 'w'], ['o']), domain: 'b' },
  node('Clip', ['o', '', 'max'], ['l']),
  node('TopK', ['l', 'w'], ['', 'y']),
];

/** So neither names of nodes nor weights, which have other types for other processors. */
test('the digest hashes domain, operator, inputs and outputs of each node, without weights and omitted ones, in the order of the file', () => {
  const text =
    '["","Constant",[],["c"]]["","Abs",["x"],["a"]]["","Sub",["a"],["s"]]["b","Own",["s"],["o"]]' +
    '["","Clip",["o"],["l"]]["","TopK",["l"],["y"]]';
  const graph = graphOf(nodes, { initializer: [floats('w', [4]), floats('max', [])] });
  const digest = graphDigest(parseModel(saveModel({ graph, opsetImport })).graph);
  expect(digest).toBe(createHash('sha256').update(text).digest('hex'));
});
