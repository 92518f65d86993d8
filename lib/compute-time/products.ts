/** Products of matrices. */
import type { WorkNode, WorkTensor } from './node-tensors';
import { BANDWIDTH, PRODUCT_RATE, PRODUCT_TILE } from './reference-processor';

/** The matrices of one product, `[rows, inner] x [inner, columns]`, and how often it is computed. */
export interface Product {
  readonly count: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly dtype: string | undefined;
}

/** A product with fewer rows than this waits for the weights instead of computing. */
const FEW_ROWS = 2;

/** Seconds of products whose right matrices are packed for the kernel first. */
export function productSeconds({ count, rows, inner, columns, dtype }: Product): number {
  const width = elementBytes(dtype);
  const rightBytes = count * inner * columns * width;
  if (rows < FEW_ROWS) return rightBytes / BANDWIDTH.weights;
  const operations =
    2 * count * paddedTo(rows, PRODUCT_TILE.rows) * inner * paddedTo(columns, PRODUCT_TILE.columns);
  return operations / productRate(dtype) + rightBytes / BANDWIDTH.packing;
}

function paddedTo(size: number, tile: number): number {
  return Math.ceil(size / tile) * tile;
}

/** Operations per second for the type of the elements. */
export function productRate(dtype: string | undefined): number {
  if (dtype === undefined) return PRODUCT_RATE.float32;
  if (/^u?int/.test(dtype)) return PRODUCT_RATE.int8;
  return dtype === 'float64' || dtype === 'float16' ? PRODUCT_RATE[dtype] : PRODUCT_RATE.float32;
}

function elementBytes(dtype: string | undefined): number {
  if (dtype === undefined) return 4;
  if (/^u?int(8|4|2)$/.test(dtype)) return 1;
  return dtype === 'float64' ? 8 : 4;
}

/** Where an operator has its matrices; by default, they are inputs 0 and 1. */
const RIGHT_INPUT: Readonly<Record<string, number>> = { QLinearMatMul: 3, QGemm: 3 };

/** Seconds of a node that multiplies two tensors. */
export function productNodeSeconds(work: WorkNode): number {
  const { node, inputs, outputs } = work;
  const left = inputs.at(0);
  const right = inputs.at(RIGHT_INPUT[node.opType] ?? 1);
  const out = outputs.at(0);
  if (left === undefined || right === undefined || out === undefined) return 0;
  const moved = (left.bytes + out.bytes) / BANDWIDTH.elementwise;
  const conversion = node.opType.startsWith('DynamicQuantize') ? (4 * left.bytes) / BANDWIDTH.elementwise : 0;
  return productSeconds(productOf(node.opType, left, right, out)) + moved + conversion;
}

function productOf(opType: string, left: WorkTensor, right: WorkTensor, out: WorkTensor): Product {
  const columns = out.shape.at(-1) ?? 1;
  if (opType === 'Einsum') return contraction(left, right, out);
  // Weights of 4 bits have a shape of their own: [columns, blocks, bytes of a block].
  const isPacked = /^MatMul(NBits|Bnb4|FpQ4)$/.test(opType);
  // A batch of left matrices times one right matrix is one product with many rows.
  const rows = out.elements / Math.max(1, columns);
  const count = right.shape.length <= 2 || isPacked ? 1 : right.elements / matrixElements(right);
  // Gemm may transpose its left matrix, so its inner size follows from the number of elements.
  const inner = left.elements / Math.max(1, rows);
  return { count, rows: rows / count, inner, columns, dtype: isPacked ? left.dtype : right.dtype };
}

/**
 * A contraction of two tensors by an equation that the model of the graph does not keep. Leading sizes that all three tensors
 * share are taken for a batch. For `[m, k] x [k, n]`, the product of the three numbers of elements is the square of `m k n`.
 */
function contraction(left: WorkTensor, right: WorkTensor, out: WorkTensor): Product {
  const most = Math.min(left.shape.length, right.shape.length, out.shape.length) - 2;
  let count = 1;
  for (let axis = 0; axis < most; axis++) {
    if (left.shape[axis] !== out.shape[axis] || right.shape[axis] !== out.shape[axis]) break;
    count *= out.shape[axis];
  }
  const multiplications = Math.sqrt((left.elements * right.elements * out.elements) / Math.max(1, count));
  const columns = out.shape.at(-1) ?? 1;
  const rows = out.elements / Math.max(1, columns * count);
  return { count, rows, inner: multiplications / Math.max(1, out.elements), columns, dtype: right.dtype };
}

function matrixElements({ shape }: WorkTensor): number {
  return Math.max(
    1,
    shape.slice(-2).reduce((product, size) => product * size, 1),
  );
}
