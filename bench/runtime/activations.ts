import type { NumericTensor } from '../../client';

/** A row of values like activations: positive and negative, with all digits. */
export function activations(elements: number): NumericTensor {
  const values = Float32Array.from({ length: elements }, (_, index) => Math.sin(index * 1.618) * 3);
  return { dtype: 'float32', shape: [1, elements], bytes: new Uint8Array(values.buffer) };
}
