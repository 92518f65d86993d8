import { analyzeModel } from '../../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../../lib/compile/compile';
import { automatic, count } from '../../../../lib/plan/search/slicers';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { FLOAT, attribute, int64s, node, saveModel, value } from '../../../support/model-builder';

analyzeFast();

describe('sizes of slices', () => {
  test('do not count values that a slice neither reads nor computes', () => {
    const graph = {
      node: [
        node('Tile', ['x', 'times'], ['big']),
        node('ReduceSum', ['big'], ['a'], [attribute.int('keepdims', 0)]),
        node('Abs', ['a'], ['b']),
        node('Neg', ['b'], ['c']),
        node('Add', ['c', 'big'], ['y']),
      ],
      initializer: [int64s('times', [1000])],
      input: [value('x', FLOAT, [8])],
      output: [value('y')],
    };
    const [, middle] = compileAnalyzed(analyzeModel(saveModel({ graph })), count(5)).plan.slices.slice(1);
    expect(middle.activationBytes).toBeLessThan(100);
    expect(middle.readBytes).toBe(4);
  });

  test('do not count a large value as written if only its own slice reads it', () => {
    const graph = {
      node: [
        node('Expand', ['x', 'shape'], ['big']),
        node('Tanh', ['big'], ['t']),
        node('ReduceSum', ['t'], ['y'], [attribute.int('keepdims', 0)]),
      ],
      initializer: [int64s('shape', [15_000, 15_000])],
      input: [value('x', FLOAT, [1])],
      output: [value('y', FLOAT)],
    };
    expect(automatic().choose(analyzeModel(saveModel({ graph })).cuts).groups).toHaveLength(1);
  });
});
