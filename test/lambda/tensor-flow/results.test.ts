import type { ExecutionOutputs, InlineMode } from '../../../contract/execution';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { checkPlannedResults, writeResults } from '../../../lambda/tensor-flow/results';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { MemoryObjects } from '../../support/memory-objects';

/** Bytes of `{"s":{"dtype":"string","shape":[1],"data":[""]}}`. */
const JSON_AROUND_TEXT = 48;

function text(bytesOfJson: number): RawTensor {
  return { dtype: 'string', shape: [1], strings: ['a'.repeat(bytesOfJson - JSON_AROUND_TEXT)] };
}

const TOO_LARGE = 'set \'output.inline\' to "auto" or "never", so that the results are in S3';

async function outputsOf(
  bytesOfJson: number,
  { slices = 2, inline = 'auto' }: { slices?: number; inline?: InlineMode } = {},
): Promise<ExecutionOutputs> {
  const store = new SafetensorsStore(new MemoryObjects(), 'b');
  const tensors = new Map([['s', text(bytesOfJson)]]);
  const { outputs } = await writeResults('machine/run-1', tensors, { inline, slices }, store);
  return outputs;
}

describe('results', () => {
  it('are inline up to exactly 184,320 bytes of JSON', async () => {
    const { tensors } = await outputsOf(184_320);
    expect(JSON.stringify(tensors)).toHaveLength(184_320);
    expect((await outputsOf(184_321)).tensors).toBeUndefined();
  });

  it('have 400 bytes less for each slice above 100', async () => {
    expect((await outputsOf(184_320, { slices: 100 })).tensors).toBeDefined();
    expect((await outputsOf(183_920, { slices: 101 })).tensors).toBeDefined();
    expect((await outputsOf(183_921, { slices: 101 })).tensors).toBeUndefined();
  });

  it('are only in S3 if the request says so', async () => {
    expect(await outputsOf(100, { inline: 'never' })).toEqual({
      s3: { bucket: 'b', key: 'outputs/machine/run-1.safetensors' },
    });
  });

  it('are only inline if the request says so, and not in S3', async () => {
    const objects = new MemoryObjects();
    const tensors = new Map([['s', text(184_320)]]);
    const only = { inline: 'only', slices: 2 } as const;
    const result = await writeResults('machine/run-1', tensors, only, new SafetensorsStore(objects, 'b'));
    expect(Object.keys(result.outputs)).toEqual(['tensors']);
    expect(JSON.stringify(result.outputs.tensors)).toHaveLength(184_320);
    expect(result.bytesWritten).toBe(0);
    expect(objects.keys()).toEqual([]);
  });

  it('fail a request for inline results only if they are too large', async () => {
    for (const [bytes, slices, limit] of [
      [184_321, 2, 184_320],
      [183_921, 101, 183_920],
      [1_000_000, 2, 184_320],
    ] as const) {
      await expect(outputsOf(bytes, { inline: 'only', slices })).rejects.toMatchObject({
        name: 'InvalidInput',
        message: `inline results must have at most ${limit} bytes as JSON, got more than ${limit}: ${TOO_LARGE}`,
      });
    }
  });
});

describe('planned results', () => {
  it('fail a request for inline results only, before anything is computed, if they are too large', () => {
    expect(() => {
      checkPlannedResults('only', { resultBytes: 138_241, slices: 2 });
    }).toThrow(
      `inline results must have at most 184320 bytes as JSON, got 184324 bytes or more: ${TOO_LARGE}`,
    );
  });

  it.each([
    ['may fit', 'only', { resultBytes: 138_240, slices: 2 }],
    ['have unknown sizes', 'only', { slices: 2 }],
    ['are wanted inline if they are small', 'auto', { resultBytes: 1e9, slices: 2 }],
    ['are wanted in S3', 'never', { resultBytes: 1e9, slices: 2 }],
  ] as const)('pass if they %s', (_, inline, manifest) => {
    expect(() => {
      checkPlannedResults(inline, manifest);
    }).not.toThrow();
  });
});
