import type { SourcedTensor } from '../../../contract/slice-manifest';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { inMemory } from '../../../lambda/store/stored-tensors';
import { gatherTensors } from '../../../lambda/tensor-flow/gather';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { MemoryObjects } from '../../support/memory-objects';
import { until } from '../../support/until';

const sent: RawTensor = { dtype: 'uint8', shape: [1000], bytes: new Uint8Array(1000).fill(7) };
const ofSlice = (name: string): SourcedTensor => ({ ...sent, name, source: { from: 'slice', slice: 0 } });
const input: SourcedTensor = { ...sent, name: 'x', source: { from: 'request' } };

async function withSlice0() {
  const objects = new MemoryObjects();
  const store = new SafetensorsStore(objects, 'b');
  await store.write('runs/machine/run-1/slice-00.safetensors', new Map([['a', sent]]));
  return { objects, sources: { run: 'machine/run-1', store } };
}

it('gatherTensors reads the tensors of an earlier slice while the request opens', async () => {
  const { objects, sources } = await withSlice0();
  // The request opens only after the slice's tensors have been read.
  const isRead = () => objects.reads.length > 0 && objects.openBodies === 0;
  const request = until('a read of the slice', isRead).then(() => inMemory(new Map([['x', sent]])));
  const { tensors } = await gatherTensors([input, ofSlice('a')], { ...sources, request });
  expect([...tensors.keys()].sort()).toEqual(['a', 'x']);
  expect(tensors.get('a')).toMatchObject({ dtype: 'uint8', shape: [1000] });
});

it('gatherTensors reports the request first if that and an earlier slice fail', async () => {
  const { sources } = await withSlice0();
  const request = until('a moment', () => Promise.resolve(true)).then(() => {
    throw new Error('the request does not fit');
  });
  const gathering = gatherTensors([ofSlice('missing'), input], { ...sources, request });
  await expect(gathering).rejects.toThrow('the request does not fit');
});
