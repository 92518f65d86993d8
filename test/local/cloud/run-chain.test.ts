import type { RawTensor } from '../../../lambda/tensors/tensor';
import { runChain } from '../../../local/cloud/run-chain';

const head = { dtype: 'bool', shape: [] } as const;
const bool = (value: number): RawTensor => ({ ...head, bytes: Uint8Array.of(value) });
const fromRequest = (name: string) => ({ name, ...head, source: { from: 'request' as const } });
const fromSlice = (name: string, slice: number) => ({
  name,
  ...head,
  source: { from: 'slice' as const, slice },
});

const PLAN = {
  slices: [{ inputs: [fromRequest('x')] }, { inputs: [fromSlice('a', 0), fromRequest('y')] }],
  outputs: [fromSlice('b', 1), fromSlice('a', 0), fromRequest('x')],
};
const REQUEST = new Map([
  ['x', bool(0)],
  ['y', bool(1)],
]);

describe('runChain', () => {
  it('passes tensors of the request and of earlier slices, and returns the outputs in order', async () => {
    const calls: string[] = [];
    const outputs = await runChain(PLAN, REQUEST, (slice, inputs) => {
      calls.push(`${slice}: ${[...inputs.keys()].join()}`);
      return Promise.resolve(new Map([[slice === 0 ? 'a' : 'b', bool(slice)]]));
    });
    expect(calls).toEqual(['0: x', '1: a,y']);
    expect([...outputs]).toEqual([
      ['b', bool(1)],
      ['a', bool(0)],
      ['x', bool(0)],
    ]);
  });

  it.each([
    ['the request', new Map<string, RawTensor>(), "tensor 'x' is missing from the request"],
    ['a slice', REQUEST, "tensor 'a' is missing from the outputs of slice 0"],
  ])('fails if %s lacks a tensor', async (_, request, message) => {
    await expect(runChain(PLAN, request, () => Promise.resolve(new Map()))).rejects.toThrow(message);
  });
});
