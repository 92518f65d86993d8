import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withoutValues } from '../../../lambda/slice/run-failure';
import { Session } from '../../../lambda/slice/session';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { encodeModel, type TinyModel } from '../../support/tiny-slice';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'run-failure-'))));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The message with which ONNX Runtime fails to run the model. */
async function messageFor(model: TinyModel, feeds: ReadonlyMap<string, RawTensor>): Promise<string> {
  const path = join(folder, 'model.onnx');
  writeFileSync(path, encodeModel(model));
  const session = await Session.open({ path, threads: 1 });
  try {
    await session.run(feeds, ['y']);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the session did not fail');
}

const float32 = (shape: readonly number[]): RawTensor => ({
  dtype: 'float32',
  shape,
  bytes: new Uint8Array(4 * shape.reduce((product, size) => product * size, 1)),
});
const output = { name: 'y', dtype: 'float32', shape: null } as const;

describe('the message of a session that failed to run', () => {
  it('names the operator, but not the index that is out of range', async () => {
    const message = await messageFor(
      {
        nodes: [{ op: 'Gather', inputs: ['table', 'ids'], outputs: ['y'] }],
        inputs: [
          { name: 'table', dtype: 'float32', shape: ['N'] },
          { name: 'ids', dtype: 'int64', shape: ['M'] },
        ],
        outputs: [output],
      },
      new Map<string, RawTensor>([
        ['table', float32([5])],
        ['ids', { dtype: 'int64', shape: [1], bytes: new Uint8Array(BigInt64Array.of(4711n).buffer) }],
      ]),
    );
    expect(message).toContain('4711');
    const shown = withoutValues(message);
    expect(shown).toContain('running Gather node');
    expect(shown).toContain('indices element out of data bounds, idx=#');
    expect(shown).not.toContain('4711');
  });

  it('keeps shapes', async () => {
    const message = await messageFor(
      {
        nodes: [{ op: 'Reshape', inputs: ['a', 'shape'], outputs: ['y'] }],
        inputs: [
          { name: 'a', dtype: 'float32', shape: ['N', 'M'] },
          { name: 'shape', dtype: 'int64', shape: [2] },
        ],
        outputs: [output],
      },
      new Map<string, RawTensor>([
        ['a', float32([2, 3])],
        ['shape', { dtype: 'int64', shape: [2], bytes: new Uint8Array(BigInt64Array.of(4n, 5n).buffer) }],
      ]),
    );
    expect(withoutValues(message)).toContain('{2,3}');
    expect(withoutValues(message)).toContain('{4,5}');
  });

  it('has no texts of the reason', () => {
    expect(
      withoutValues("running X node. Name:'n1' Status Message: no 'secret' for -1.5e-7 in \"more\""),
    ).toBe("running X node. Name:'n1' Status Message: no # for # in #");
  });

  it('is unchanged without a reason', () => {
    expect(withoutValues('the model returned no output 7')).toBe('the model returned no output 7');
  });
});
