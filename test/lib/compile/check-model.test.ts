import { analyzeModel } from '../../../lib/compile/analyze';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { BFLOAT16, FLOAT, attribute, mlp, node, saveModel, value } from '../../support/model-builder';

analyzeFast();

describe('the signature of the model', () => {
  test.each([
    [
      'input',
      {
        node: [node('Cast', ['x'], ['y'], [attribute.int('to', FLOAT)])],
        input: [value('x', BFLOAT16, [2])],
        output: [value('y', FLOAT)],
      },
    ],
    [
      'output',
      {
        node: [node('Cast', ['x'], ['y'], [attribute.int('to', BFLOAT16)])],
        input: [value('x', FLOAT, [2])],
        output: [value('y', BFLOAT16)],
      },
    ],
  ])('cannot have an %s of a type that JavaScript cannot pass', (kind, graph) => {
    const name = kind === 'input' ? 'x' : 'y';
    expect(() => analyzeModel(saveModel({ graph }))).toThrow(
      `${kind} '${name}' must be a tensor that ONNX Runtime's JavaScript API can pass, got bfloat16: convert it inside the model`,
    );
  });

  test('cannot consist of outputs that are inputs', () => {
    const graph = { node: [], input: [value('x', FLOAT, [2])], output: [value('x', FLOAT, [2])] };
    expect(() => analyzeModel(saveModel({ graph }))).toThrow(
      'the model must compute at least one output, got outputs that are its inputs: export the model again',
    );
  });
});

test.each([
  [
    { depth: 1 },
    "a dimension must be a symbolic dimension of the model's inputs (batch), got 'depth': use one of these names",
  ],
  [
    { batch: 0 },
    "the size of dimension 'batch' must be a whole number from 1 to 2147483647, got 0: use the size that requests will have",
  ],
  [
    { batch: 2 ** 31 },
    "the size of dimension 'batch' must be a whole number from 1 to 2147483647, got 2147483648: use the size that requests will have",
  ],
])('the dimensions cannot be %j', (dimensions, message) => {
  expect(() => analyzeModel(saveModel(mlp(1)), { dimensions })).toThrow(message);
});

test('planned tensors are refused if sums of their bytes are not exact', () => {
  const graph = {
    node: [node('Tanh', ['x'], ['y'])],
    input: [value('x', FLOAT, ['batch', 4_096])],
    output: [value('y', FLOAT, ['batch', 4_096])],
  };
  expect(() => analyzeModel(saveModel({ graph }), { dimensions: { batch: 2 ** 31 - 1 } })).toThrow(
    /^tensor 'x' must have at most 8796093022208 bytes at the planned sizes, got 35184372072448 bytes: plan for smaller dimensions$/,
  );
});
