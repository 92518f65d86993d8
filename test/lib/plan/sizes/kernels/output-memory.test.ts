import { parseModel } from '../../../../../lib/onnx/parse';
import { outputMemory } from '../../../../../lib/plan/sizes/kernels/output-memory';
import { FLOAT, saveModel, value } from '../../../../support/model-builder';

test.each([
  ['Reshape', '', 'view'],
  ['Relu', '', 'in place'],
  ['Exp', '', 'new'],
  ['Relu', 'ai.onnx', 'in place'],
  ['Relu', 'com.microsoft', 'new'],
  ['Reshape', 'local', 'new'],
])('the output of %s in the domain %j is %s', (opType, domain, expected) => {
  const graph = {
    node: [{ opType, domain, input: ['x', 'x'], output: ['y'] }],
    input: [value('x', FLOAT, [2])],
    output: [value('y', FLOAT)],
  };
  expect(outputMemory(parseModel(saveModel({ graph })).graph.nodes[0])).toBe(expected);
});
