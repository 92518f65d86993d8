import { candidateInputs, type GeneratedInputs } from '../../../bin/verify/seeded-inputs';
import type { TensorSpec } from '../../../contract/tensors';
import type { RawTensor } from '../../../lambda/tensors/tensor';

function candidates(specs: readonly TensorSpec[], options: Partial<GeneratedInputs> = {}) {
  return [...candidateInputs({ specs, dimensions: {}, planned: {}, seed: 0, ...options })];
}

function shapes(tensors: ReadonlyMap<string, RawTensor>): Record<string, readonly number[]> {
  return Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]));
}

const image: TensorSpec = { name: 'image', dtype: 'float32', shape: ['n', 3, null, 'w'] };

describe('generated inputs', () => {
  it('give a named dimension the same size in all inputs', () => {
    const state: TensorSpec = { name: 'state', dtype: 'float32', shape: [2, 'n', 'w'] };
    for (const candidate of candidates([image, state])) {
      const { image: first, state: second } = shapes(candidate);
      expect(second).toEqual([2, first[0], first[3]]);
    }
  });

  it('try the batch size for unnamed dimensions in the state of a recurrent model', () => {
    const sound: TensorSpec = { name: 'sound', dtype: 'float32', shape: [null, null] };
    const state: TensorSpec = { name: 'state', dtype: 'float32', shape: [2, null, 128] };
    expect(candidates([sound, state]).map(shapes)).toContainEqual({ sound: [1, 512], state: [2, 1, 128] });
  });

  it('use the given sizes, also for dimensions without a name', () => {
    const dimensions = { n: 2, 'image[2]': 5, w: 7 };
    expect(candidates([image], { dimensions }).map(shapes)).toEqual([{ image: [2, 3, 5, 7] }]);
  });

  it('try smaller integers, which may be indexes', () => {
    const ids: TensorSpec = { name: 'ids', dtype: 'int64', shape: [64] };
    const largest = candidates([ids]).map((tensors) => {
      const tensor = tensors.get('ids');
      const bytes = tensor && 'bytes' in tensor ? tensor.bytes : new Uint8Array();
      return Math.max(...Array.from(new BigInt64Array(bytes.buffer), Number));
    });
    expect(largest).toEqual([9, 1, 0]);
  });

  it('skip guessed sizes that would fill the memory', () => {
    const volume: TensorSpec = { name: 'v', dtype: 'uint8', shape: ['a', 'b', 'c', 'd', 'e', 'f'] };
    expect(shapes(candidates([volume])[0])).toEqual({ v: [1, 8, 8, 8, 8, 8] });
  });

  it('are the same for the same seed', () => {
    const specs: TensorSpec[] = (['float32', 'float16', 'int8', 'uint64', 'bool', 'string'] as const).map(
      (dtype) => ({ name: dtype, dtype, shape: [8] }),
    );
    expect(candidates(specs)).toEqual(candidates(specs));
    expect(candidates(specs, { seed: 1 })).not.toEqual(candidates(specs));
  });
});
