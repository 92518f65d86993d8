/** Which models and dimensions cannot be sliced. */
import { type AnalyzeOptions, analyzeModel } from '../../../lib/compile/analyze';
import { graphOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { type ModelInit, BFLOAT16, FLOAT, mlp, saveModel, value } from '../../support/model-builder';

analyzeFast();

const wide = graphOf('Tanh x > y', { input: [value('x', FLOAT, ['batch', 4_096])] });
const passed = { node: [], input: [value('x', FLOAT, [2])], output: [value('x', FLOAT, [2])] };

const ofBfloat = { graph: graphOf('Cast x > y to=1', { input: [value('x', BFLOAT16, [2])] }) };
const toBfloat = { graph: graphOf(`Cast x > y to=${BFLOAT16}`, { output: [value('y', BFLOAT16)] }) };

test.each<[message: string, model: ModelInit, dimensions?: AnalyzeOptions['dimensions']]>([
  ["input 'x' must be a tensor that ONNX Runtime's JavaScript API can pass, got bfloat16: conv", ofBfloat],
  ["output 'y' must be a tensor that ONNX Runtime's JavaScript API can pass, got bfloat16", toBfloat],
  ['the model must compute at least one output, got outputs that are its inputs', { graph: passed }],
  ["a symbolic dimension of the model's inputs (batch), got 'depth': use one", mlp(1), { depth: 1 }],
  ["'batch' must be a whole number from 1 to 2147483647, got 0: use the size", mlp(1), { batch: 0 }],
  ["'batch' must be a whole number from 1 to 2147483647, got 2147483648", mlp(1), { batch: 2 ** 31 }],
  // Sums of their bytes would not be exact.
  ['got 35184372072448 bytes: plan for smaller dimensions', { graph: wide }, { batch: 2 ** 31 - 1 }],
])('refuses with: %s', (message, model, dimensions = {}) => {
  expect(() => analyzeModel(saveModel(model), { dimensions })).toThrow(message);
});
