/** Small models with integer products, and their results with exact integers. */
import { exactProduct } from '../../bench/integers/reference';
import { type NodeInit, type TensorInit, INT32, UINT8, node, value } from './model-builder';
import type { Tensors } from './run-slices';

export const INT8 = 3;

export const [ROWS, INNER, COLUMNS] = [3, 40, 8];

/** Bytes over the whole range, or up to a magnitude. */
export function bytes(length: number, most = 127, seed = 1): Int8Array {
  return Int8Array.from({ length }, (_, index) => ((index * 73 + seed * 31) % (2 * most + 1)) - most);
}

export function int8s(
  name: string,
  dims: readonly number[],
  values = bytes(dims.reduce((product, size) => product * size, 1)),
): TensorInit {
  return { name, dataType: INT8, dims, rawData: new Uint8Array(values.buffer) };
}

export const WEIGHT = int8s('w', [INNER, COLUMNS]);

export const X: Tensors = new Map([
  [
    'x',
    {
      dtype: 'uint8',
      shape: [ROWS, INNER],
      bytes: Uint8Array.from({ length: ROWS * INNER }, (_, index) => (index * 37) % 256),
    },
  ],
]);

/** `y = x [3, 40] * w [40, 8]`. */
export const PRODUCT = node('MatMulInteger', ['x', 'w'], ['y']);

export function integerModel(nodes: readonly NodeInit[], initializer: readonly TensorInit[], type = INT32) {
  const output = [value(nodes[nodes.length - 1].output[0], type)];
  return { graph: { node: nodes, initializer, input: [value('x', UINT8, ['rows', INNER])], output } };
}

/** Of `X` with a weight of int8 and its zero point. */
export function exactSums(values: Int8Array, zero = 0): number[] {
  const x = X.get('x');
  if (x === undefined || !('bytes' in x)) throw new Error('x has bytes');
  return [...exactProduct(x.bytes, values, [ROWS, INNER, COLUMNS], { aZero: 0, bZeros: [zero] })];
}
