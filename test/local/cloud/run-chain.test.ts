import type { RawTensor } from '../../../lambda/tensors/tensor';
import type { SlicePlan } from '../../../lib/plan/file/plan';
import { runChain } from '../../../local/cloud/run-chain';

type SourcedTensor = SlicePlan['outputs'][number];
type Tensors = ReadonlyMap<string, RawTensor>;

const head = { dtype: 'bool', shape: [] } as const;

function fromRequest(name: string): SourcedTensor {
  return { name, ...head, source: { from: 'request' } };
}

function fromSlice(name: string, slice: number): SourcedTensor {
  return { name, ...head, source: { from: 'slice', slice } };
}

function bool(value: number): RawTensor {
  return { ...head, bytes: Uint8Array.of(value) };
}

const PLAN = {
  slices: [{ inputs: [fromRequest('x')] }, { inputs: [fromSlice('a', 0), fromRequest('y')] }],
  outputs: [fromSlice('b', 1), fromSlice('a', 0), fromRequest('x')],
};
const REQUEST: Tensors = new Map([
  ['x', bool(0)],
  ['y', bool(1)],
]);

describe('runChain', () => {
  it('passes tensors of the request and of earlier slices, and returns the outputs in order', async () => {
    const calls: (readonly [number, string[]])[] = [];
    const outputs = await runChain(PLAN, REQUEST, (slice, inputs) => {
      calls.push([slice, [...inputs.keys()]]);
      return Promise.resolve(new Map([[slice === 0 ? 'a' : 'b', bool(slice)]]));
    });
    expect(calls).toEqual([
      [0, ['x']],
      [1, ['a', 'y']],
    ]);
    expect([...outputs]).toEqual([
      ['b', bool(1)],
      ['a', bool(0)],
      ['x', bool(0)],
    ]);
  });

  it('fails if the request or a slice lacks a tensor', async () => {
    const nothing = (): Promise<Tensors> => Promise.resolve(new Map());
    await expect(runChain(PLAN, new Map(), nothing)).rejects.toThrow(
      "tensor 'x' is missing from the request",
    );
    await expect(runChain(PLAN, REQUEST, nothing)).rejects.toThrow(
      "tensor 'a' is missing from the outputs of slice 0",
    );
  });
});
