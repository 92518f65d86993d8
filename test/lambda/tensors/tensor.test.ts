import { describeTensor, typedView, unfitReason } from '../../../lambda/tensors/tensor';

it('has elements that are a copy if the bytes of a Buffer are not aligned, whose slice() does not copy', () => {
  const elements = Float64Array.of(1.5, -2.25, 1e300);
  const bytes = Buffer.alloc(elements.byteLength + 3).subarray(3);
  bytes.set(new Uint8Array(elements.buffer));
  expect([...typedView({ dtype: 'float64', shape: [3], bytes })]).toEqual([...elements]);
});

it.each<[string, (number | string | null)[] | null, string]>([
  ['has sizes, names of sizes, and ? for an unknown size', [1, 'N', null], 'int8[1,N,?]'],
  ['has no sizes for a scalar', [], 'int8[]'],
  ['has three dots for an unknown rank', null, 'int8[...]'],
  ['has 16 sizes', Array<number>(16).fill(1), `int8[${'1,'.repeat(15)}1]`],
  ['has only the number of more sizes', Array<number>(100_000).fill(1), 'int8[100000 sizes]'],
])('the description of a tensor %s', (_, shape, description) => {
  expect(describeTensor({ dtype: 'int8', shape })).toBe(description);
});

it.each<[number[], boolean]>([
  [[0], true],
  [[2 ** 32 - 1, 0, 2 ** 20], true],
  [[0, 2 ** 31, 2 ** 21], true],
  [[0, 2 ** 32], false],
  [[2 ** 31, 2 ** 31, 0, 2 ** 31], false],
])('whether ONNX Runtime takes a tensor without elements of the shape %j: %j', (shape, isFit) => {
  const reason = unfitReason({ dtype: 'float32', shape, bytes: new Uint8Array(0) });
  expect(reason).toBe(isFit ? undefined : 'it has no elements, but huge sizes');
});
