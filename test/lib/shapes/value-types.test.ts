import { analyzeModel } from '../../../lib/compile/analyze';
import { plannedBytes, symbolicNames } from '../../../lib/shapes/value-types';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { mlp, saveModel } from '../../support/model-builder';

analyzeFast();

function plannedBytesOf(name: string, dimensions = {}): number {
  const { cuts, model } = analyzeModel(saveModel(mlp(1)), { dimensions });
  return cuts.bytes[model.graph.values.findIndex((each) => each.name === name)];
}

describe('planned sizes', () => {
  test('use the given dimensions and 1 for the others', () => {
    expect(plannedBytesOf('m0')).toBe(64);
    expect(plannedBytesOf('m0', { batch: 8 })).toBe(512);
  });

  test('count an unknown size as the largest given dimension', () => {
    const types = [
      { dtype: 'float32', shape: [null, 2] },
      { dtype: 'float32', shape: null },
      { dtype: 'string', shape: [3] },
      { shape: null },
    ];
    expect(plannedBytes(types, { width: 10 })).toEqual([80, 40, 96, 0]);
  });

  test('use names of the form x[1] for unnamed dimensions', () => {
    expect(
      symbolicNames([
        { name: 'x', shape: ['n', null, 3, null] },
        { name: 'y', shape: ['n'] },
      ]),
    ).toEqual(['n', 'x[1]', 'x[3]']);
  });
});
