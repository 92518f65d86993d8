import type { ExecutionOutputs, InlineMode } from '../../../contract/execution';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { writeResults } from '../../../lambda/tensor-flow/results';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { MemoryObjects } from '../../support/memory-objects';

/** Bytes of `{"s":{"dtype":"string","shape":[1],"data":[""]}}`. */
const JSON_AROUND_TEXT = 48;

function text(bytesOfJson: number): RawTensor {
  return { dtype: 'string', shape: [1], strings: ['a'.repeat(bytesOfJson - JSON_AROUND_TEXT)] };
}

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
});
