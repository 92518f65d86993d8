import { batchDimension } from '../../../lib/plan/batch-dimension';
import { stackingToken, verifiedItems } from '../../../lib/plan/stacking-token';
import type { Dimension, TensorSpec } from '../../../contract/tensors';

const MODEL = { planDigest: 'a'.repeat(64), onnxRuntime: '1.30.0', threads: 2 };

it('the token of a model is that of its slices, ONNX Runtime and threads', () => {
  expect(verifiedItems(stackingToken(MODEL, 8), MODEL)).toBe(8);
});

const others = [{ planDigest: 'b'.repeat(64) }, { onnxRuntime: '1.31.0' }, { threads: 1 }];

it.each([
  ...others.map((other) => stackingToken({ ...MODEL, ...other }, 8)),
  ...[1, 65].map((items) => stackingToken(MODEL, items)),
  ...['', `stacking: ${stackingToken(MODEL, 8)}`, `${stackingToken(MODEL, 8)}\n`],
])('another text is refused: %j', (text) => {
  expect(() => verifiedItems(text, MODEL)).toThrow(
    /^stacking must be the token of these slices, ONNX Runtime 1.30.0 and 2 threads, got '.*': copy what `sliced-/,
  );
});

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
  [{ x: [1, 'w'] }, {}, "[1,w] of 'x'"],
  [{ x: [] }, {}, "[] of 'x'"],
  [{ x: null }, {}, "[...] of 'x'"],
  [{ x: ['n'] }, { y: [2] }, "[2] of 'y'"],
  [{ x: ['n'], h: ['m'] }, {}, "[m] of 'h'"],
  [{}, {}, 'no inputs'],
])('the batch dimension is missing from %j and %j', (inputs, outputs, got) => {
  const message = `must begin with the same symbolic size, got ${got}: export the model`;
  expect(() => batchDimension(tensors(inputs), tensors(outputs))).toThrow(message);
});
