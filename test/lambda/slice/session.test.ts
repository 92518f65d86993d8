import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { Session } from '../../../lambda/slice/session';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, rawTensor } from '../../support/arbitrary-tensors';
import { encodeModel, float32Bytes, type TinyModel } from '../../support/tiny-slice';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'session-'))));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function open(model: TinyModel, name = 'model.onnx'): Promise<Session> {
  const path = join(folder, name);
  writeFileSync(path, encodeModel(model));
  return Session.open({ path, threads: 1 });
}

const x = { name: 'x', dtype: 'float32', shape: ['N'] } as const;

describe('a session', () => {
  it('runs with telemetry turned off', () => {
    expect(process.env.ORT_DISABLE_TELEMETRY).toBe('1');
  });

  it('returns the requested outputs in the requested order', async () => {
    const session = await open({
      nodes: [
        { op: 'Neg', inputs: ['x'], outputs: ['b'] },
        { op: 'Abs', inputs: ['x'], outputs: ['1'] },
      ],
      inputs: [x],
      outputs: [
        { ...x, name: 'b' },
        { ...x, name: '1' },
      ],
    });
    const feeds = new Map<string, RawTensor>([
      ['x', { dtype: 'float32', shape: [1], bytes: float32Bytes([-2]) }],
    ]);
    const results = await session.run(feeds, ['b', '1']);
    expect([...results.keys()]).toEqual(['b', '1']);
    expect([...(await session.run(feeds, ['1'])).keys()]).toEqual(['1']);
    expect(session.inputNames).toEqual(['x']);
    expect(session.outputNames).toEqual(['b', '1']);
    await session.release();
  });

  it('returns tensors of every element type unchanged, from any alignment', async () => {
    await fc.assert(
      fc.asyncProperty(rawTensor, fc.nat({ max: 7 }), async (tensor, offset) => {
        const spec = { dtype: tensor.dtype, shape: null };
        const session = await open({
          nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
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

  it('names a requested output that the model does not have', async () => {
    const session = await open({
      nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }],
      inputs: [x],
      outputs: [{ ...x, name: 'y' }],
    });
    const feeds = new Map<string, RawTensor>([
      ['x', { dtype: 'float32', shape: [0], bytes: new Uint8Array(0) }],
    ]);
    await expect(session.run(feeds, ['z'])).rejects.toThrow('invalid output name: z');
    await session.release();
  });
});

/** The tensor with its bytes at an offset in a larger buffer, as after reading a whole file. */
function shifted(tensor: RawTensor, offset: number): RawTensor {
  if (tensor.dtype === 'string') return tensor;
  const buffer = new Uint8Array(tensor.bytes.byteLength + offset);
  buffer.set(tensor.bytes, offset);
  return { ...tensor, bytes: buffer.subarray(offset) };
}
