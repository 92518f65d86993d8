import { batchDimension } from '../../../lib/plan/batch-dimension';
import { stackingToken, verifiedItems } from '../../../lib/plan/stacking-token';
import type { Dimension, TensorSpec } from '../../../contract/tensors';

const MODEL = { planDigest: 'a'.repeat(64), onnxRuntime: '1.30.0', threads: 2 };

describe('the token of stacked items', () => {
  it('names the model and the number of items', () => {
    const token = stackingToken(MODEL, 8);
    expect(token).toMatch(/^[0-9a-f]{12}-8$/);
    expect(verifiedItems(token, MODEL)).toBe(8);
  });

  it.each([{ planDigest: 'b'.repeat(64) }, { onnxRuntime: '1.31.0' }, { threads: 1 }])(
    'is refused for another model or setting: %p',
    (other) => {
      const token = stackingToken({ ...MODEL, ...other }, 8);
      expect(() => verifiedItems(token, MODEL)).toThrow(
        `stacking must be verified for these slices, ONNX Runtime 1.30.0 and 2 threads, got the token '${token}' of another model or setting: run \`sliced-inference verify MODEL --batch 8 --threads 2\``,
      );
    },
  );

  it.each([
    '',
    'stacking: 0123456789ab-8',
    '0123456789ab-1',
    '0123456789ab-65',
    '0123456789ab-8\n',
    '0123456789AB-8',
  ])('is refused if it is no token: %j', (text) => {
    expect(() => verifiedItems(text, MODEL)).toThrow(
      'must be a token that `sliced-inference verify --batch` has',
    );
  });
});

describe('the batch dimension', () => {
  const tensor = (name: string, shape: readonly Dimension[] | null): TensorSpec => ({
    name,
    dtype: 'float32',
    shape,
  });

  it.each([
    [[tensor('x', ['batch', 3])], [tensor('y', ['batch'])], 'batch'],
    [[tensor('x', ['N', 3]), tensor('m', ['N'])], [tensor('y', ['other', 4]), tensor('z', null)], 'N'],
    [[tensor('x', [null, 3])], [tensor('y', [null])], 'x[0]'],
  ])('of %j and %j is %s', (inputs, outputs, name) => {
    expect(batchDimension(inputs, outputs)).toBe(name);
  });

  it.each([
    [[tensor('x', [1, 'w'])], [], "input 'x' must begin with a symbolic size to be stacked, got [1,w]"],
    [[tensor('x', [])], [], "input 'x' must begin with a symbolic size to be stacked, got []"],
    [
      [tensor('x', null)],
      [],
      "input 'x' must begin with a symbolic size to be stacked, got an unknown shape",
    ],
    [
      [tensor('x', ['n'])],
      [tensor('y', [2])],
      "output 'y' must begin with a symbolic size to be stacked, got [2]",
    ],
    [
      [tensor('x', ['n']), tensor('h', ['m'])],
      [],
      "the same symbolic size to be stacked, got 'n' of 'x' and 'm' of 'h'",
    ],
    [[], [], 'must have an input, got none'],
  ])('is missing from %j and %j', (inputs, outputs, message) => {
    expect(() => batchDimension(inputs, outputs)).toThrow(message);
  });
});
