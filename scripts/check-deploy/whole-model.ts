/** What ONNX Runtime computes with a whole model. None of the code that slices and runs it takes part. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { NumericTensor, RawTensor } from '../../lambda/tensors/tensor';

const ARRAYS = {
  ...{ float32: Float32Array, float64: Float64Array, float16: Uint16Array, bool: Uint8Array },
  ...{ int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array },
  ...{ uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array },
};

/** With the settings of the slices: their threads, no optimization, and weights as they are in the file. */
export async function wholeModel(
  file: string,
  threads: number,
  inputs: ReadonlyMap<string, RawTensor>,
): Promise<ReadonlyMap<string, RawTensor>> {
  const session = await InferenceSession.create(file, {
    intraOpNumThreads: threads,
    graphOptimizationLevel: 'disabled',
    extra: { session: { disable_prepacking: '1' } },
  });
  try {
    const feeds = [...inputs].map(([name, tensor]) => [name, fed(tensor as NumericTensor)] as const);
    const results = await session.run(Object.fromEntries(feeds));
    return new Map(session.outputNames.map((name) => [name, raw(results[name])]));
  } finally {
    await session.release();
  }
}

function fed({ dtype, shape, bytes }: NumericTensor): Tensor {
  const array = ARRAYS[dtype];
  return new Tensor(dtype as 'float32', new array(Uint8Array.from(bytes).buffer) as Float32Array, shape);
}

function raw({ type, dims, data }: Tensor): RawTensor {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return {
    dtype: type as NumericTensor['dtype'],
    shape: dims,
    bytes: new Uint8Array(buffer, byteOffset, byteLength),
  };
}
