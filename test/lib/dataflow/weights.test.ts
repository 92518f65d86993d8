import { analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { type Slicer, atTensors, count, maxSliceSize } from '../../../lib/plan/slicers';
import { graphOf, nodesOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  BOOL,
  FLOAT,
  attribute,
  callOf,
  choice,
  floats,
  functionsOf,
  int64s,
  modelOf,
  node,
  saveModel,
  value,
} from '../../support/model-builder';

analyzeFast();

const io = { input: [value('x', FLOAT, [8])], output: [value('y')] };

test('results of constant nodes are activations, not weights', () => {
  const graph = graphOf('ConstantOfShape shape > w; MatMul x w > y', {
    ...{ initializer: [int64s('shape', [8, 1000])], ...io },
  });
  const [slice] = compileAnalyzed(analyzeModel(saveModel({ graph })), count(1)).plan.slices;
  expect(slice.weightBytes).toBeLessThan(100);
  expect(slice.activationBytes).toBeGreaterThanOrEqual(32_000);
});

describe('weights in body graphs and functions', () => {
  const width = 64;
  const weight = floats('w', [width, width]);
  const body = (name: string) => ({
    node: [node('MatMul', ['t', `w_${name}`], [name])],
    initializer: [{ ...weight, name: `w_${name}` }],
    output: [value(name, FLOAT)],
  });
  const product = [
    node('Constant', [], ['c'], [attribute.tensor('value', weight)]),
    node('MatMul', ['a', 'c'], ['b']),
  ];
  const branches = choice('flag', 'i', body('a'), body('b'));
  const calls = [callOf('Product', ['j'], ['f']), ...nodesOf('Tanh f > g'), callOf('Product', ['g'], ['h'])];
  const model = modelOf(
    [...nodesOf('Tanh x > t'), branches, ...nodesOf('Tanh i > j'), ...calls, ...nodesOf('Tanh h > y')],
    { x: [1, width], flag: { type: BOOL, dims: [] } },
    [],
    functionsOf({ Product: product }),
  );
  const analyzed = analyzeModel(saveModel(model));
  const bytes = width * width * 4;
  const weights = (slicer: Slicer): number[] =>
    compileAnalyzed(analyzed, slicer).plan.slices.map(({ weightBytes }) => weightBytes);

  test('count once, in the slice that runs them', () => {
    expect(weights(count(1))).toEqual([3 * bytes]);
    expect(weights(atTensors(['j']))).toEqual([2 * bytes, bytes]);
    expect(weights(atTensors(['j', 'g']))).toEqual([2 * bytes, bytes, bytes]);
  });

  test('count against a limit', () => {
    expect(weights(maxSliceSize(2 * bytes))).toEqual([2 * bytes, bytes]);
    expect(() => weights(maxSliceSize(2 * bytes - 1))).toThrow(
      `each slice must have at most ${2 * bytes - 1} bytes of weights, got ${2 * bytes} bytes for node 'If_i' (If)`,
    );
  });
});

test('a chain of constants that every node uses is sized once, not once per user', () => {
  const length = 1500;
  const all = Array.from({ length }, (_, index) => index);
  const constants = all.map((index) => `Neg ${index === 0 ? 'w' : `c${index - 1}`} > c${index}`);
  const users = all.map(
    (index) =>
      `Add ${index === 0 ? 'x' : `v${index - 1}`} c${length - 1} > ${index === length - 1 ? 'y' : `v${index}`}`,
  );
  const graph = graphOf([...constants, ...users].join('; '), { initializer: [floats('w', [8])], ...io });
  const { cuts } = analyzeModel(saveModel({ graph }));
  // Otherwise each candidate cut would walk the chain once per user.
  expect(count(4).choose(cuts).groups).toHaveLength(4);
});
