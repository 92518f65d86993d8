/** Products of matrices. */
import { product } from '../shapes/value-types';
import { type WorkNode, type WorkTensor } from './node-tensors';
import * as vcpu from './lambda-vcpu';

/** The matrices of one product, `[rows, inner] x [inner, columns]`, and how often it is computed. */
export interface Product {
  readonly count: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly dtype: string | undefined;
  /** Whether the left matrix has signed integers. @default false */
  readonly isSigned?: boolean;
}

/** How a session holds its weights. */
export interface Weights {
  /** Whether they were rewritten for the kernels when the session was created. */
  readonly prepacking: boolean;
  /** Whether all of the graph's stay in the caches from run to run. */
  readonly areCached: boolean;
}

/** Where the right matrix of a product comes from: a tensor of the run, or a weight. */
type RightMatrix = Weights | 'tensor';

/** A product of floats with fewer rows than this reads the right matrix as it is. */
const FEW_ROWS = 2;

export function productSeconds(own: Product, right: RightMatrix): number {
  const { count, rows, inner, columns, dtype, isSigned = false } = own;
  const bytes = inner * columns * elementBytes(dtype);
  const rate = isSigned ? vcpu.PRODUCT_RATE.signedLeft : productRate(dtype);
  const isInteger = dtype !== undefined && /^u?int/.test(dtype);
  const computing = (2 * padded(rows, isInteger ? 'integers' : 'floats') * inner * columns) / rate;
  const areCached = right === 'tensor' || right.areCached;
  const reading = right === 'tensor' ? 0 : bytes / vcpu.BANDWIDTH.weights[areCached ? 'cached' : 'memory'];
  const isPacked = (right !== 'tensor' && right.prepacking) || (rows < FEW_ROWS && !isInteger);
  const packing = isPacked ? 0 : bytes / packingRate(bytes, areCached);
  // Reading from the caches and computing overlap.
  const both = areCached ? Math.max(computing, reading) : computing + reading;
  return count * (vcpu.PRODUCT_OVERHEAD + both + packing);
}

function packingRate(bytes: number, areCached: boolean): number {
  if (!areCached) return vcpu.BANDWIDTH.packing.memory;
  return vcpu.BANDWIDTH.packing[bytes <= vcpu.SMALL_MATRIX_BYTES ? 'small' : 'large'];
}

/** Fewer rows than a tile take less time, because the weights are read meanwhile. */
export function padded(rows: number, kind: keyof typeof vcpu.TILE_ROWS): number {
  const tile = vcpu.TILE_ROWS[kind];
  return rows < tile ? rows : Math.ceil(rows / tile) * tile;
}

function productRate(dtype: string | undefined): number {
  if (dtype === 'float64' || dtype === 'float16' || dtype === 'uint8') return vcpu.PRODUCT_RATE[dtype];
  return dtype !== undefined && /^u?int/.test(dtype) ? vcpu.PRODUCT_RATE.int8 : vcpu.PRODUCT_RATE.float32;
}

function elementBytes(dtype: string | undefined): number {
  if (dtype === undefined) return 4;
  if (/^u?int(8|4|2)$/.test(dtype)) return 1;
  return dtype === 'float64' ? 8 : 4;
}

const RIGHT_INPUT: Readonly<Record<string, number>> = { QLinearMatMul: 3, QGemm: 3 };

/**
 * Whether each run turns the weights of few bits into floats. With ONNX Runtime 1.30 there are kernels for prepacked weights of 4 bits, and of 2
 * and 8 bits with the accuracy level of int8, but none for groups in another order.
 */
export function dequantizesWeights({ node, inputs }: WorkNode, prepacking: boolean): boolean {
  if (!FEW_BITS.test(node.opType)) return false;
  if (node.opType !== 'MatMulNBits') return true;
  const { sizeAttributes } = node;
  const isInOrder = inputs.at(GROUP_INDEX) === undefined;
  const hasKernel =
    (sizeAttributes?.get('bits') ?? 4) === 4 || sizeAttributes?.get('accuracy_level') === LEVEL_OF_INT8;
  return !(prepacking && inputs.at(1)?.isWeight && isInOrder && hasKernel);
}

const GROUP_INDEX = 4;
const LEVEL_OF_INT8 = 4;

/** Products with weights of a few bits. */
export const FEW_BITS = /^MatMul(NBits|Bnb4|FpQ4)$/;

export function productNodeSeconds(work: WorkNode, weights: Weights): number {
  const { node, inputs, outputs } = work;
  const left = inputs.at(0);
  const right = inputs.at(RIGHT_INPUT[node.opType] ?? 1);
  const out = outputs.at(0);
  if (left === undefined || right === undefined || out === undefined) return 0;
  const conversion = node.opType.startsWith('DynamicQuantize')
    ? left.elements * vcpu.ELEMENT_NS.vectorized * 1e-9
    : 0;
  const found = productOf(node.opType, left, right, out);
  if (FEW_BITS.test(node.opType)) return fewBitsSeconds(work, found, weights) + conversion;
  return productSeconds(found, right.isWeight ? weights : 'tensor') + conversion;
}

/** Weights that were not prepacked become floats in each run. */
function fewBitsSeconds(work: WorkNode, { rows, inner, columns, dtype }: Product, weights: Weights): number {
  const elements = inner * columns;
  if (dequantizesWeights(work, weights.prepacking)) {
    const asFloats = { count: 1, rows, inner, columns, dtype };
    return elements * vcpu.DEQUANTIZATION_NS * 1e-9 + productSeconds(asFloats, 'tensor');
  }
  const isFloat = work.node.sizeAttributes?.get('accuracy_level') !== LEVEL_OF_INT8;
  const dequantization = isFloat ? elements * vcpu.PACKED_DEQUANTIZATION_NS * 1e-9 : 0;
  const reading = elements / 2 / vcpu.BANDWIDTH.fourBits;
  return (2 * rows * elements) / vcpu.PRODUCT_RATE.fourBits + reading + dequantization;
}

function productOf(opType: string, left: WorkTensor, right: WorkTensor, out: WorkTensor): Product {
  const columns = out.shape.at(-1) ?? 1;
  if (opType === 'Einsum') return contraction(left, right, out);
  // Weights of 4 bits have a shape of their own: [columns, blocks, bytes of a block].
  const hasBlocks = FEW_BITS.test(opType);
  // A batch of left matrices times one right matrix is one product with many rows.
  const rows = out.elements / Math.max(1, columns);
  const count =
    right.shape.length <= 2 || hasBlocks ? 1 : right.elements / Math.max(1, product(right.shape.slice(-2)));
  // Gemm may transpose its left matrix, so its inner size follows from the number of elements.
  const inner = left.elements / Math.max(1, rows);
  const dtype = hasBlocks ? left.dtype : right.dtype;
  return { count, rows: rows / count, inner, columns, dtype, isSigned: left.dtype === 'int8' };
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
