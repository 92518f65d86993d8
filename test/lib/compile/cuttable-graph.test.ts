import { cuttableGraph } from '../../../lib/compile/cuttable-graph';
import { parseModel } from '../../../lib/onnx/parse';
import { UnloadableGraphError, optimize } from '../../../lib/optimize/optimize';
import { graphOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { saveModel } from '../../support/model-builder';

analyzeFast();

// The tests choose the graph that ONNX Runtime saves or its error, and see whether it was asked.
jest.mock('../../../lib/optimize/optimize', () => ({
  ...jest.requireActual<object>('../../../lib/optimize/optimize'),
  optimize: jest.fn(),
}));
const saving = jest.mocked(optimize);
beforeEach(() => saving.mockReset());

function float16Model(last: string) {
  return parseModel(
    saveModel({ graph: graphOf(`Cast x > h to=10; Sigmoid h > s; Cast s > t to=1; ${last}`) }),
  );
}

describe('the graph of a float16 model', () => {
  test("is the model's own graph if ONNX Runtime cannot load the saved graph again", () => {
    saving.mockImplementation(() => {
      throw new UnloadableGraphError('the model must load again', 'an error', 'slice it without it');
    });
    const source = float16Model('Abs t > y');
    const { model, types } = cuttableGraph(source, 'none');
    expect(model).toEqual(source);
    expect(types.map(({ dtype }) => dtype)).toContain('float16');
  });

  test('is refused before ONNX Runtime starts if a random operator has no seed', () => {
    const source = float16Model('RandomNormalLike t > y');
    expect(() => cuttableGraph(source, 'none')).toThrow('got an unseeded RandomNormalLike');
    expect(saving).not.toHaveBeenCalled();
  });
});
