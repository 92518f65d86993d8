import { analyzeModel } from '../../../lib/compile/analyze';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { type ModelInit, FLOAT, attribute, node, saveModel, value } from '../../support/model-builder';
import { expectSameBitsInEveryCut } from '../../support/run-slices';
import { float32 } from '../../support/tensors';

analyzeFast();

const cropped = (attributes: object[], opset = 7): ModelInit => ({
  opset,
  graph: {
    node: [node('Relu', ['x'], ['r']), node('Crop', ['r'], ['c'], attributes), node('Abs', ['c'], ['y'])],
    input: [value('x', FLOAT, ['n', 2, 6, 9])],
    output: [value('y', FLOAT)],
  },
});
/** Left, top, right and bottom. */
const border = attribute.ints('border', [1, 2, 3, 0]);

function shapesOf(model: ModelInit) {
  const { model: parsed, planned, provenShapes } = analyzeModel(saveModel(model));
  const value = parsed.graph.values.findIndex(({ name }) => name === 'y');
  return { planned: planned.types[value].shape, proven: provenShapes[value] };
}

describe('the result of a Crop', () => {
  test('has the sizes of its input without the borders', async () => {
    expect(shapesOf(cropped([border]))).toEqual({ planned: [1, 2, 4, 5], proven: ['n', 2, 4, 5] });
    const feeds = new Map([['x', float32([1, 2, 6, 9])]]);
    expect(await expectSameBitsInEveryCut(saveModel(cropped([border])), feeds)).toBe(3);
  });

  test('has only the rank of its input when another attribute says its sizes', async () => {
    const scaled = cropped([border, attribute.ints('scale', [2, 3])]);
    expect(shapesOf(scaled).proven).toEqual([null, null, null, null]);
    const feeds = new Map([['x', float32([1, 2, 6, 9])]]);
    expect(await expectSameBitsInEveryCut(saveModel(scaled), feeds)).toBe(3);
  });
});
