/** The manifests that slice functions read. */
import { analyzeModel } from '../../../lib/compile/analyze';
import { sliceManifests } from '../../../lib/compile/compile';
import { bestCut } from '../../../lib/plan/best-cut';
import { count } from '../../../lib/plan/slicers';
import { graphOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { type NodeInit, FLOAT, floats, node, saveModel, value } from '../../support/model-builder';

analyzeFast();

/** The shape that ONNX Runtime infers for the result, and the bytes of all results that the first slice expects. */
function resultOf(only: NodeInit) {
  const graph = graphOf([only], {
    initializer: [floats('scales', [4], [1, 1, 7 / 3, 7 / 3])],
    input: [value('x', FLOAT, [1, 2, 5, 5])],
  });
  const analyzed = analyzeModel(saveModel({ graph }));
  const { model, types, dataflow, cuts } = analyzed;
  const [manifest] = sliceManifests(model, analyzed, bestCut(dataflow, cuts, count(1)).wiring);
  return { inferred: types[model.graph.nodes[0].outputs[0]].shape, resultBytes: manifest.resultBytes };
}

it('the bytes of all results are those of a shape that every run has', () => {
  expect(resultOf(node('Relu', ['x'], ['y'])).resultBytes).toBe(2 * 5 * 5 * 4);
});

it('the bytes of all results are absent if the value may have another shape than ONNX Runtime infers', () => {
  const { inferred, resultBytes } = resultOf(node('Resize', ['x', '', 'scales'], ['y']));
  expect(inferred).toEqual([1, 2, 11, 11]);
  expect(resultBytes).toBeUndefined();
});
