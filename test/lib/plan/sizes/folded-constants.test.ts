/** What ONNX Runtime computes of constants at load. The graphs are small enough to count the bytes by hand. */
import { analyzeModel } from '../../../../lib/compile/analyze';
import { foldedPeakBytes } from '../../../../lib/plan/sizes/folded-constants';
import { graphOf } from '../../../support/graph-text';
import { FLOAT, floats, saveModel, value } from '../../../support/model-builder';

function folded(text: string): number {
  const model = saveModel({
    graph: graphOf(text, {
      input: [value('x', FLOAT, [4, 8])],
      output: [value('y', FLOAT, [4, 8])],
      initializer: [floats('w', [8, 8])],
    }),
  });
  const { dataflow, planned } = analyzeModel(model);
  return foldedPeakBytes(dataflow, planned.bytes);
}

/** Of w, float32 of [8, 8]. */
const W = 4 * 64;

test.each<[what: string, graph: string, bytes: number]>([
  ['nothing', 'MatMul x w > y', 0],
  ['a weight that is computed', 'Neg w > v; MatMul x v > y', 1.5 * W],
  ['the last of a chain alone', 'Neg w > u; Tanh u > v; MatMul x v > y', 1.5 * W],
  ['a value of two users once', 'Neg w > v; MatMul x v > t; MatMul t v > y', 1.5 * W],
  ['two values', 'Neg w > u; Tanh w > v; MatMul x u > t; MatMul t v > y', 3 * W],
  ['nothing that depends on the request', 'Neg x > v; MatMul v w > y', 0],
])('counts %s', (_, graph, bytes) => {
  expect(folded(graph)).toBe(bytes);
});
