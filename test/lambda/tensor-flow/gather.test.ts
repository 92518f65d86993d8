import type { SourcedTensor } from '../../../contract/slice-manifest';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { gatherTensors } from '../../../lambda/tensor-flow/gather';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { inMemory } from '../../../lambda/store/tensor-reader';
import { MemoryObjects } from '../../support/memory-objects';
import { until } from '../../support/until';

const RUN = 'machine/run-1';
const KEY = 'runs/machine/run-1/slice-00.safetensors';

const sent: RawTensor = { dtype: 'uint8', shape: [1000], bytes: new Uint8Array(1000).fill(7) };

function needed(name: string, dtype: SourcedTensor['dtype'] = 'uint8'): SourcedTensor {
  return { name, dtype, shape: [1000], source: { from: 'slice', slice: 0 } };
}

async function withSlice0(): Promise<{ objects: MemoryObjects; store: SafetensorsStore }> {
  const objects = new MemoryObjects();
  const store = new SafetensorsStore(objects, 'b');
  await store.write(KEY, new Map([['a', sent]]));
  return { objects, store };
}

describe('gatherTensors', () => {
  it('reads the tensors of an earlier slice', async () => {
    const { objects, store } = await withSlice0();
    const { tensors } = await gatherTensors([needed('a')], { run: RUN, store });
    expect([...tensors.keys()]).toEqual(['a']);
    expect(tensors.get('a')).toMatchObject({ dtype: 'uint8', shape: [1000] });
    expect(objects.openBodies).toBe(0);
  });

  it('reads the tensors of an earlier slice while the request opens', async () => {
    const { objects, store } = await withSlice0();
    const input: SourcedTensor = { name: 'x', dtype: 'uint8', shape: [1000], source: { from: 'request' } };
    // The request opens only after the slice's tensors have been read.
    const request = until(
      'a read of the slice',
      () => objects.reads.length > 0 && objects.openBodies === 0,
    ).then(() => inMemory(new Map([['x', sent]])));
    const { tensors } = await gatherTensors([input, needed('a')], { run: RUN, store, request });
    expect([...tensors.keys()].sort()).toEqual(['a', 'x']);
  });

  it('reports the request first if that and an earlier slice fail', async () => {
    const { store } = await withSlice0();
    const input: SourcedTensor = { name: 'x', dtype: 'uint8', shape: [1000], source: { from: 'request' } };
    const request = until('a moment', () => Promise.resolve(true)).then(() => {
      throw new Error('the request does not fit');
    });
    const gathering = gatherTensors([needed('missing'), input], { run: RUN, store, request });
    await expect(gathering).rejects.toThrow('the request does not fit');
  });

  it.each([
    ['is missing', needed('b'), "'b'"],
    ['has another element type', needed('a', 'int64'), "tensor 'a' must be int64[1000], got uint8[1000]"],
  ])('closes the connection if a tensor %s', async (_, tensor, reason) => {
    const { objects, store } = await withSlice0();
    const gathering = gatherTensors([tensor], { run: RUN, store });
    await expect(gathering).rejects.toThrow(`cannot read the tensors of slice 0 from ${KEY}: `);
    await expect(gathering).rejects.toThrow(reason);
    expect(objects.reads).toHaveLength(1);
    expect(objects.openBodies).toBe(0);
  });
});
