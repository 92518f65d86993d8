import type { InlineMode } from '../../../contract/execution';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { checkPlannedResults, type Receiver, writeResults } from '../../../lambda/tensor-flow/results';
import { MemoryObjects } from '../../support/memory-objects';

/** Bytes of `{"s":{"dtype":"string","shape":[1],"data":[""]}}`. */
const JSON_AROUND_TEXT = 48;

const TOO_LARGE = 'set \'output.inline\' to "auto" or "never", so that the results are in S3';

const KEY = 'outputs/machine/run-1.safetensors';

async function written(
  bytesOfJson: number,
  inline: InlineMode = 'auto',
  slices = 2,
  receiver: Receiver = 'state',
) {
  const objects = new MemoryObjects();
  const strings = ['a'.repeat(bytesOfJson - JSON_AROUND_TEXT)];
  const tensors = new Map([['s', { dtype: 'string', shape: [1], strings } as const]]);
  const store = new SafetensorsStore(objects, 'b');
  const { outputs, bytesWritten } = await writeResults(KEY, tensors, { inline, slices, receiver }, store);
  return { ...outputs, bytesWritten, keys: objects.keys() };
}

it('results are inline up to exactly 184,320 bytes of JSON', async () => {
  expect(JSON.stringify((await written(184_320)).tensors)).toHaveLength(184_320);
  expect((await written(184_321)).tensors).toBeUndefined();
});

it('results are only in S3, or only inline, if the request says so', async () => {
  const { s3, tensors, keys } = await written(100, 'never');
  expect({ s3, tensors, keys }).toEqual({ s3: { bucket: 'b', key: keys[0] }, keys: [KEY] });
  const only = await written(184_320, 'only');
  expect(only).toMatchObject({ bytesWritten: 0, keys: [] });
  expect(only.s3).toBeUndefined();
  expect(JSON.stringify(only.tensors)).toHaveLength(184_320);
});

it.each([
  [184_321, 2, 184_320],
  [183_921, 101, 183_920],
])(
  'results of %d bytes of %d slices fail a request for inline results only',
  async (bytes, slices, limit) => {
    await expect(written(bytes, 'only', slices)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: `inline results must have at most ${limit} bytes as JSON, got more than ${limit}: ${TOO_LARGE}`,
    });
  },
);

describe('results for the caller itself', () => {
  const LIMIT = 6_283_264;

  it('are inline up to 6 MiB less 8 KiB, and then in no object', async () => {
    const { tensors, s3, keys } = await written(LIMIT, 'auto', 1, 'caller');
    expect([JSON.stringify(tensors).length, s3, keys]).toEqual([LIMIT, undefined, []]);
  });

  it('are in S3 alone if they are larger or if the request says so', async () => {
    const larger = await written(LIMIT + 1, 'auto', 1, 'caller');
    const wanted = await written(100, 'never', 1, 'caller');
    for (const { tensors, s3, keys } of [larger, wanted])
      expect([tensors, s3, keys]).toEqual([undefined, { bucket: 'b', key: KEY }, [KEY]]);
  });

  it('fail a request for inline results only if they are larger', async () => {
    const expected = `inline results must have at most ${LIMIT} bytes as JSON, got more than ${LIMIT}: ${TOO_LARGE}`;
    await expect(written(LIMIT + 1, 'only', 1, 'caller')).rejects.toThrow(expected);
  });
});

describe('planned results', () => {
  it('fail a request for inline results only, before anything is computed, if they are too large', () => {
    expect(() => {
      checkPlannedResults('only', { resultBytes: 138_241, slices: 2 }, 'state');
    }).toThrow(
      `inline results must have at most 184320 bytes as JSON, got 184324 bytes or more: ${TOO_LARGE}`,
    );
  });

  it('pass if they may fit, have unknown sizes, or may be in S3', () => {
    checkPlannedResults('only', { resultBytes: 138_240, slices: 2 }, 'state');
    checkPlannedResults('only', { slices: 2 }, 'state');
    checkPlannedResults('auto', { resultBytes: 1e9, slices: 2 }, 'state');
  });
});
