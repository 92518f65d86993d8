import { batchDimension } from '../../../lib/plan/batch-dimension';
import { stackingToken, verifiedItems } from '../../../lib/plan/stacking-token';
import type { Dimension, TensorSpec } from '../../../contract/tensors';

const MODEL = { planDigest: 'a'.repeat(64), onnxRuntime: '1.30.0', threads: 2 };

it.each([{ planDigest: 'b'.repeat(64) }, { onnxRuntime: '1.31.0' }, { threads: 1 }])(
  'the token of another model or setting is refused: %p',
  (other) => {
    expect(verifiedItems(stackingToken(MODEL, 8), MODEL)).toBe(8);
    const token = stackingToken({ ...MODEL, ...other }, 8);
    expect(() => verifiedItems(token, MODEL)).toThrow(
      `stacking must be verified for these slices, ONNX Runtime 1.30.0 and 2 threads, got the token '${token}' of another model or setting: run \`sliced-inference verify MODEL --batch 8 --threads 2\``,
    );
  },
);

it.each(['', 'stacking: 0123456789ab-8', '0123456789ab-1', '0123456789ab-65', '0123456789ab-8\n'])(
  'a text that is no token is refused: %j',
  (text) => {
    const message = 'must be a token that `sliced-inference verify --batch` has';
    expect(() => verifiedItems(text, MODEL)).toThrow(message);
  },
);

const tensors = (shapes: Readonly<Record<string, readonly Dimension[] | null>>): TensorSpec[] =>
  Object.entries(shapes).map(([name, shape]) => ({ name, dtype: 'float32', shape }));

it.each([
  [{ x: ['batch', 3] }, { y: ['batch'] }, 'batch'],
  [{ x: ['N', 3], m: ['N'] }, { y: ['other', 4], z: null }, 'N'],
  [{ x: [null, 3] }, { y: [null] }, 'x[0]'],
])('the batch dimension of %j and %j is %s', (inputs, outputs, name) => {
  expect(batchDimension(tensors(inputs), tensors(outputs))).toBe(name);
});

it.each([
  [{ x: [1, 'w'] }, {}, "input 'x' must begin with a symbolic size to be stacked, got [1,w]"],
  [{ x: [] }, {}, "input 'x' must begin with a symbolic size to be stacked, got []"],
  [{ x: null }, {}, "input 'x' must begin with a symbolic size to be stacked, got an unknown shape"],
  [{ x: ['n'] }, { y: [2] }, "output 'y' must begin with a symbolic size to be stacked, got [2]"],
  [{ x: ['n'], h: ['m'] }, {}, "the same symbolic size to be stacked, got 'n' of 'x' and 'm' of 'h'"],
  [{}, {}, 'must have an input, got none'],
])('the batch dimension is missing from %j and %j', (inputs, outputs, message) => {
  expect(() => batchDimension(tensors(inputs), tensors(outputs))).toThrow(message);
});
