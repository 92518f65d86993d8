import { parseModel } from '../../../../lib/onnx/parse';
import { scratchBytes } from '../../../../lib/plan/sizes/kernels';
import { innerTensors } from '../../../../lib/plan/sizes/function-memory';
import type { NodeInit } from '../../../support/model-builder';
import { FLOAT, attribute, floats, node, saveModel, value } from '../../../support/model-builder';

/** Temporary bytes of the model's only node when its input and its output have the given sizes. */
function scratch(
  init: NodeInit,
  weights: readonly (readonly number[])[],
  input: number,
  output: number,
): number {
  const graph = {
    node: [init],
    initializer: weights.map((dims, index) => floats(`w${index}`, dims)),
    input: [value('x', FLOAT)],
    output: [value('y', FLOAT)],
  };
  const model = parseModel(saveModel({ graph }));
  const bytes = model.graph.values.map(({ name }) => (name === 'x' ? input : name === 'y' ? output : 0));
  return scratchBytes(model.graph, model.graph.nodes[0], bytes);
}

describe('a kernel needs temporary memory', () => {
  test('for the whole image of a convolution with more filters than pixels', () => {
    // 4 x 4 pixels, 32 filters of 8 channels and 3 x 3.
    expect(scratch(node('Conv', ['x', 'w0'], ['y']), [[32, 8, 3, 3]], 0, 4 * 16 * 32)).toBe(4 * 16 * 8 * 9);
  });

  test('for no image if there are more pixels, or if the kernel is 1x1', () => {
    expect(scratch(node('Conv', ['x', 'w0'], ['y']), [[4, 8, 3, 3]], 0, 4 * 16 * 4)).toBe(0);
    expect(scratch(node('Conv', ['x', 'w0'], ['y']), [[32, 8, 1, 1]], 0, 4 * 16 * 32)).toBe(0);
  });

  test('for the columns of a transposed convolution', () => {
    expect(scratch(node('ConvTranspose', ['x', 'w0'], ['y']), [[8, 6, 2, 2]], 4 * 8 * 16, 0)).toBe(
      4 * 16 * 6 * 4,
    );
  });

  test('for the gates of all steps of a recurrent operator, and for the reversed direction', () => {
    const lstm = node('LSTM', ['x', 'w0', 'w1'], ['y'], [attribute.int('hidden_size', 5)]);
    expect(
      scratch(
        lstm,
        [
          [1, 20, 3],
          [1, 20, 5],
        ],
        4 * 10 * 3,
        4 * 10 * 5,
      ),
    ).toBe(4 * 10 * 20);
    expect(
      scratch(
        lstm,
        [
          [2, 20, 3],
          [2, 20, 5],
        ],
        4 * 10 * 3,
        4 * 10 * 10,
      ),
    ).toBe(4 * 10 * 2 * 20 + 4 * 10 * 3 + 4 * 10 * 10);
  });

  test('for both selections of Where, unless one is a scalar', () => {
    expect(scratch(node('Where', ['w1', 'x', 'w0'], ['y']), [[1], [2]], 400, 400)).toBe(400);
  });

  test('for none in most operators', () => {
    expect(scratch(node('Add', ['x', 'x'], ['y']), [], 400, 400)).toBe(0);
  });
});

test('a local function needs memory for the inner tensors that live at one time', () => {
  const use = { domain: '', opType: 'Add', overload: '', seeded: false, inputCount: 2 };
  const inner = (inputs: string[], output: string) => ({ use, inputs, outputs: [output] });
  const fn = {
    domain: 'local',
    name: 'Three',
    overload: '',
    inputs: ['x'],
    outputs: ['y'],
    nodes: [inner(['x', 'x'], 'a'), inner(['a', 'x'], 'b'), inner(['a', 'b'], 'c'), inner(['c', 'x'], 'y')],
    operators: [use],
    opsets: [],
    heldBytes: 0,
    field: { file: 0, offset: 0, length: 0 },
  };
  expect(innerTensors(fn)).toBe(3);
});
