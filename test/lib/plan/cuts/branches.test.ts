import { analyzeModel } from '../../../../lib/compile/analyze';
import { findBranches } from '../../../../lib/plan/cuts/branches';
import { graphOf, nodesOf } from '../../../support/graph-text';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { FLOAT, floats, saveModel, value } from '../../../support/model-builder';

analyzeFast();

const WIDTH = 64;

// Each MatMul does much work; the other nodes do little.
test.each([
  [
    'two heavy branches after the nodes that they share',
    'MatMul x w1 > stem; MatMul stem w2 > a; MatMul stem w3 > b; Mul a b > y',
    { order: [0, 1, 2, 3], branchStarts: [1, 2], joins: [3] },
  ],
  ['no branches if one of the two does little work', 'MatMul x w1 > a; Tanh x > b; Mul a b > y', undefined],
  [
    'no branches if the first one does most of its work for both',
    'MatMul x w1 > stem; Tanh stem > a; MatMul stem w2 > b; Mul a b > y',
    undefined,
  ],
])('findBranches finds %s', (_, nodes, expected) => {
  const weights = nodesOf(nodes).flatMap(({ input }) => input.filter((name) => name.startsWith('w')));
  const graph = graphOf(nodes, {
    initializer: weights.map((name) => floats(name, [WIDTH, WIDTH])),
    input: [value('x', FLOAT, [1, WIDTH])],
  });
  const { cuts } = analyzeModel(saveModel({ graph }));
  expect(findBranches(cuts.dataflow, cuts.bytes)).toEqual(expected);
});
