import { describeTensor, typedView } from '../../../lambda/tensors/tensor';

const elements = Float64Array.of(1.5, -2.25, 1e300);
const bytes = new Uint8Array(elements.buffer);

describe('the elements of a tensor', () => {
  const view = (tensorBytes: Uint8Array) => typedView({ dtype: 'float64', shape: [3], bytes: tensorBytes });

  it('are a view if the bytes are aligned', () => {
    expect(view(bytes).buffer).toBe(elements.buffer);
  });

  it.each([
    ['an array', (length: number) => new Uint8Array(length)],
    ['a Buffer (whose slice() does not copy)', (length: number) => Buffer.alloc(length)],
  ])('are a copy if the bytes of %s are not aligned', (_, allocate) => {
    const shifted = allocate(bytes.length + 3).subarray(3);
    shifted.set(bytes);
    expect([...view(shifted)]).toEqual([...elements]);
  });
});

describe('the description of a tensor', () => {
  it.each<[string, (number | string | null)[] | null, string]>([
    ['has sizes, names of sizes, and ? for an unknown size', [1, 'N', null], 'int8[1,N,?]'],
    ['has no sizes for a scalar', [], 'int8[]'],
    ['has three dots for an unknown rank', null, 'int8[...]'],
  ])('%s', (_, shape, description) => {
    expect(describeTensor({ dtype: 'int8', shape })).toBe(description);
  });
});
