import { analyzeModel } from '../../../../lib/compile/analyze';
import { type BranchOrder, findBranches } from '../../../../lib/plan/cuts/branches';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { type NodeInit, FLOAT, floats, node, saveModel, value } from '../../../support/model-builder';

analyzeFast();

const WIDTH = 64;

const layer = (input: string, output: string): NodeInit => node('MatMul', [input, `w_${output}`], [output]);

/** Each MatMul reads its own weight; the other nodes do little work. */
function branchesOf(nodes: readonly NodeInit[]): BranchOrder | undefined {
  const weights = nodes.filter(({ opType }) => opType === 'MatMul').map(({ output }) => `w_${output[0]}`);
  const graph = {
    node: nodes,
    initializer: weights.map((name) => floats(name, [WIDTH, WIDTH])),
    input: [value('x', FLOAT, [1, WIDTH])],
    output: [value('y', FLOAT)],
  };
  const { cuts } = analyzeModel(saveModel({ graph }));
  return findBranches(cuts.dataflow, cuts.bytes);
}

describe('findBranches', () => {
  const join = node('Mul', ['a', 'b'], ['y']);

  test('finds two heavy branches after the nodes that they share', () => {
    const nodes = [layer('x', 'stem'), layer('stem', 'a'), layer('stem', 'b'), join];
    expect(branchesOf(nodes)).toEqual({ order: [0, 1, 2, 3], branchStarts: [1, 2], joins: [3] });
  });

  test('finds no branches if one of the two does little work', () => {
    expect(branchesOf([layer('x', 'a'), node('Tanh', ['x'], ['b']), join])).toBeUndefined();
  });

  test('finds no branches if the first one does most of its work for both', () => {
    const nodes = [layer('x', 'stem'), node('Tanh', ['stem'], ['a']), layer('stem', 'b'), join];
    expect(branchesOf(nodes)).toBeUndefined();
  });
});
