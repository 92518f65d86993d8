import { createHash } from 'node:crypto';
import { parseModel } from '../../../../lib/onnx/parse';
import { graphDigest } from '../../../../lib/plan/file/graph-digest';
import {
  type GraphInit,
  type ModelInit,
  type NodeInit,
  FLOAT,
  attribute,
  floats,
  node,
  saveModel,
  value,
} from '../../../support/model-builder';

const nodes: readonly NodeInit[] = [node('Abs', ['x'], ['a']), node('Sub', ['a', 'w'], ['y'])];

function graphOf(node_: readonly NodeInit[], rest: Partial<GraphInit> = {}): ModelInit {
  const graph = {
    node: node_,
    initializer: [floats('w', [4])],
    input: [value('x', FLOAT, [4])],
    output: [value('y', FLOAT)],
    ...rest,
  };
  const opsetImport = ['', 'a', 'b'].map((domain) => ({ domain, version: domain === '' ? 17 : 1 }));
  return { graph, opsetImport };
}

const digest = (model: ModelInit): string => graphDigest(parseModel(saveModel(model)).graph);

describe('graphDigest', () => {
  const base = digest(graphOf(nodes));
  const own = (domain: string) => ({ ...node('Own', ['a', 'w'], ['y']), domain });
  const [abs, sub] = nodes;

  test.each<[string, ModelInit]>([
    ['an operator', graphOf([node('Neg', ['x'], ['a']), sub])],
    ['the name of an inner value', graphOf([node('Abs', ['x'], ['b']), node('Sub', ['b', 'w'], ['y'])])],
    ['the order of inputs', graphOf([abs, node('Sub', ['w', 'a'], ['y'])])],
    [
      'the name of an output',
      graphOf([abs, node('Sub', ['a', 'w'], ['z'])], { output: [value('z', FLOAT)] }),
    ],
    ['the order of nodes', graphOf([sub, abs])],
  ])('changes with %s', (_, model) => {
    expect(digest(model)).not.toBe(base);
  });

  test('changes with the domain of an operator', () => {
    expect(digest(graphOf([abs, own('a')]))).not.toBe(digest(graphOf([abs, own('b')])));
  });

  test('does not change with the names of nodes and the values of weights', () => {
    const other = graphOf(
      nodes.map((each) => ({ ...each, name: '' })),
      { initializer: [floats('w', [4], [4, 3, 2, 1])] },
    );
    expect(digest(other)).toBe(base);
  });

  describe('hashes the domain, operator, input names and output names of each node', () => {
    const constant = node('Constant', [], ['c'], [attribute.tensor('value', floats('', [4]))]);
    const bounds = [floats('w', [4]), floats('max', [])];

    test.each<[string, ModelInit, string]>([
      ['in the order of the file', graphOf(nodes), '["","Abs",["x"],["a"]]["","Sub",["a","w"],["y"]]'],
      ['of another domain', graphOf([abs, own('b')]), '["","Abs",["x"],["a"]]["b","Own",["a","w"],["y"]]'],
      [
        'without omitted inputs',
        graphOf([node('Clip', ['x', '', 'max'], ['y'])], { initializer: bounds }),
        '["","Clip",["x","max"],["y"]]',
      ],
      [
        'without omitted outputs',
        graphOf([node('TopK', ['x', 'w'], ['', 'y'])]),
        '["","TopK",["x","w"],["y"]]',
      ],
      [
        'with the first value of the graph',
        { graph: { node: [constant, node('Neg', ['c'], ['y'])], output: [value('y', FLOAT)] } },
        '["","Constant",[],["c"]]["","Neg",["c"],["y"]]',
      ],
    ])('%s', (_, model, text) => {
      expect(digest(model)).toBe(createHash('sha256').update(text).digest('hex'));
    });
  });
});
