import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { withoutValues } from '../../../lambda/tensor-flow/run-slice';
import { Session } from '../../../lambda/slice/session';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, rawTensor } from '../../support/arbitrary-tensors';
import { temporaryFolder } from '../../support/temporary-folder';
import { float32, int64 } from '../../support/tensors';
import { nodesOf } from '../../support/graph-text';
import { encodeModel, type TinyModel } from '../../support/tiny-slice';

const folder = temporaryFolder();

function open(model: TinyModel): Promise<Session> {
  const path = join(folder, 'model.onnx');
  writeFileSync(path, encodeModel(model));
  return Session.open({ path, threads: 1 });
}

const x = { name: 'x', dtype: 'float32', shape: ['N'] } as const;

describe('a session', () => {
  it('runs with telemetry turned off', () => {
    expect(process.env.ORT_DISABLE_TELEMETRY).toBe('1');
  });

  it('returns the requested outputs in the requested order, and names one that the model does not have', async () => {
    const session = await open({
      nodes: nodesOf('Neg x > b; Abs x > 1'),
      inputs: [x],
      outputs: ['b', '1'].map((name) => ({ ...x, name })),
    });
    const feeds = new Map([['x', float32([1], [-2])]]);
    expect([...(await session.run(feeds, ['b', '1'])).keys()]).toEqual(['b', '1']);
    expect([...(await session.run(feeds, ['1'])).keys()]).toEqual(['1']);
    await expect(session.run(feeds, ['z'])).rejects.toThrow('invalid output name: z');
    expect(session.inputNames).toEqual(['x']);
    expect(session.outputNames).toEqual(['b', '1']);
    await session.release();
  });

  it('returns tensors of every element type unchanged, from any alignment', async () => {
    await fc.assert(
      fc.asyncProperty(rawTensor, fc.nat({ max: 7 }), async (tensor, offset) => {
        const spec = { dtype: tensor.dtype, shape: null };
        const session = await open({
          nodes: nodesOf('Identity x > y'),
          inputs: [{ ...spec, name: 'x' }],
          outputs: [{ ...spec, name: 'y' }],
        });
        const results = await session.run(new Map([['x', shifted(tensor, offset)]]), ['y']);
        expect(comparable(results)).toEqual(comparable(new Map([['y', tensor]])));
        await session.release();
      }),
      { numRuns: 60 },
    );
  });
});

/** The tensor with its bytes at an offset in a larger buffer, as after reading a whole file. */
function shifted(tensor: RawTensor, offset: number): RawTensor {
  if (tensor.dtype === 'string') return tensor;
  const buffer = new Uint8Array(tensor.bytes.byteLength + offset);
  buffer.set(tensor.bytes, offset);
  return { ...tensor, bytes: buffer.subarray(offset) };
}

describe('the message of a session that failed to run', () => {
  it('names the operator, but not the index that is out of range', async () => {
    const session = await open({
      nodes: nodesOf('Gather x ids > y'),
      inputs: [x, { name: 'ids', dtype: 'int64', shape: ['M'] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: null }],
    });
    const feeds = new Map(Object.entries({ x: float32([5]), ids: int64([1], [4711]) }));
    const { message } = (await session.run(feeds, ['y']).catch((error: unknown) => error)) as Error;
    expect(message).toContain('4711');
    expect(withoutValues(message)).toContain('running Gather node');
    expect(withoutValues(message)).toContain('indices element out of data bounds, idx=#');
  });

  it.each([
    [
      "running X node. Name:'n1' Status Message: no 'secret' for -1.5e-7 in \"more\" of {2,3}",
      "running X node. Name:'n1' Status Message: no # for # in # of {2,3}",
    ],
    ['the model returned no output 7', 'the model returned no output 7'],
  ])('%s has no values of the reason', (message, shown) => {
    expect(withoutValues(message)).toBe(shown);
  });
});
