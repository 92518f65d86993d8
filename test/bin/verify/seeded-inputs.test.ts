import { candidateInputs, type GeneratedInputs, withSpecialValues } from '../../../bin/verify/seeded-inputs';
import type { TensorDataType, TensorSpec } from '../../../contract/tensors';
import { float16Value } from '../../../lambda/tensors/float16';
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
    expect(shapes(candidates([image], { dimensions })[0])).toEqual({ image: [2, 3, 5, 7] });
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

  it('are floats of both signs, and then from 0 to 1', () => {
    const spec: TensorSpec = { name: 'x', dtype: 'float16', shape: [4096] };
    const extremes = candidates([spec]).map((tensors) => {
      const values = Array.from(new Uint16Array(bytesOfX(tensors).buffer), float16Value);
      return [Math.min(...values), Math.max(...values)].map(Math.round);
    });
    expect(extremes).toEqual([
      [-2, 2],
      [0, 1],
    ]);
  });

  it.each<[TensorDataType, bigint, bigint]>([
    ['float16', 0x7fffn, 0x7c00n],
    ['float32', 0x7fffffffn, 0x7f800000n],
    ['float64', 0x7fffffffffffffffn, 0x7ff0000000000000n],
  ])(
    'of %s get -0.0 and denormals for one run, and all special values for another',
    (dtype, size, infinity) => {
      const inputs = candidates([{ name: 'x', dtype, shape: [4096] }])[0];
      const found = (which: 'numbers' | 'all') => {
        const bytes = bytesOfX(withSpecialValues(inputs, which, 0));
        const width = bytes.length / 4096;
        const view = new DataView(bytes.buffer);
        const bits = Array.from({ length: 4096 }, (_, at) => BigInt(readBits(view, at * width, width)));
        const isSmall = (each: bigint) =>
          (each & size) < 1n << BigInt(width === 2 ? 10 : width === 4 ? 23 : 52);
        return {
          zero: bits.includes(size + 1n),
          denormal: bits.some((each) => isSmall(each) && (each & size) !== 0n),
          infinite: bits.some((each) => (each & size) === infinity),
          nan: bits.some((each) => (each & size) > infinity),
          ordinary: bits.filter((each) => !isSmall(each) && (each & size) < infinity).length > 3900,
        };
      };
      const numbers = { zero: true, denormal: true, infinite: false, nan: false, ordinary: true };
      expect(found('numbers')).toEqual(numbers);
      expect(found('all')).toEqual({ ...numbers, infinite: true, nan: true });
    },
  );

  it('of integers and texts have no special values', () => {
    const specs: TensorSpec[] = (['int64', 'bool', 'string'] as const).map((dtype) => ({
      ...{ name: dtype, dtype, shape: [64] },
    }));
    const [inputs] = candidates(specs);
    expect(withSpecialValues(inputs, 'all', 0)).toEqual(inputs);
  });
});

function bytesOfX(tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  const x = tensors.get('x');
  return x && 'bytes' in x ? Uint8Array.from(x.bytes) : new Uint8Array();
}

function readBits(view: DataView, at: number, width: number): number | bigint {
  if (width === 2) return view.getUint16(at, true);
  return width === 4 ? view.getUint32(at, true) : view.getBigUint64(at, true);
}
