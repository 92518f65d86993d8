import { cuttableGraph } from '../../../lib/compile/cuttable-graph';
import { parseModel } from '../../../lib/onnx/parse';
import { UnloadableGraphError, optimize } from '../../../lib/optimize/optimize';
import { graphOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { saveModel } from '../../support/model-builder';

analyzeFast();

// The test chooses the error of ONNX Runtime.
jest.mock('../../../lib/optimize/optimize', () => ({
  ...jest.requireActual<object>('../../../lib/optimize/optimize'),
  optimize: jest.fn(),
}));

test("the graph of a float16 model is the model's own graph if ONNX Runtime cannot load the saved graph again", () => {
  jest.mocked(optimize).mockImplementation(() => {
    throw new UnloadableGraphError('the model must load again', 'an error', 'slice it without it');
  });
  const graph = graphOf('Cast x > h to=10; Sigmoid h > s; Cast s > t to=1; Abs t > y');
  const source = parseModel(saveModel({ graph }));
  const { model, types } = cuttableGraph(source, 'none');
  expect(model).toEqual(source);
  expect(types.map(({ dtype }) => dtype)).toContain('float16');
});
