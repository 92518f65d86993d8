/** Products of matrices, and the layers that consist of them: convolutions, recurrent layers, and attention as one node. */
import { product } from '../shapes/value-types';
import { type WorkNode, type WorkTensor } from './node-tensors';
import { memorySeconds } from './kernels';
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

function productSeconds(own: Product, right: RightMatrix): number {
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
function padded(rows: number, kind: keyof typeof vcpu.TILE_ROWS): number {
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

/** Activations for each element of the state in a step: 3 gates and 2 tangents of an LSTM. */
const ACTIVATIONS = 5;

/**
 * Inputs: `X [steps, batch, inputs]`, `W [directions, gates x hidden, inputs]`, `R [directions, gates x hidden, hidden]`. The
 * product with `W` is one for all steps, the product with `R` is one for each step.
 */
export function recurrentSeconds({ inputs }: WorkNode, weights: Weights): number {
  const [x, w, r] = inputs;
  if (x === undefined || w === undefined || r === undefined) return 0;
  // A quantized layer has its weights transposed: the hidden size is the smaller one.
  const [directions = 1, first = 1, second = 1] = r.shape;
  const hidden = Math.min(first, second);
  const gates = Math.max(first, second);
  const features = x.shape.at(-1) ?? 1;
  const positions = x.elements / Math.max(1, features);
  // With the layout [batch, steps, inputs], steps and batch change places: their product counts.
  const [steps = 1] = x.shape;
  const batch = positions / Math.max(1, steps);
  const fromInputs = productSeconds(
    {
      count: directions,
      rows: positions,
      inner: features,
      columns: gates,
      dtype: w.dtype,
    },
    w.isWeight ? weights : 'tensor',
  );
  const fromState = productSeconds(
    {
      count: directions * steps,
      rows: batch,
      inner: hidden,
      columns: gates,
      dtype: r.dtype,
    },
    // Each step after the first finds them in the caches.
    r.isWeight ? { ...weights, areCached: true } : 'tensor',
  );
  const activations = positions * directions * hidden * ACTIVATIONS * vcpu.ELEMENT_NS.vectorized * 1e-9;
  return fromInputs + fromState + activations;
}

const WITH_WEIGHTS = new Set(['Attention', 'QAttention', 'PackedAttention', 'LongformerAttention']);

/** Heads that a shape without a dimension of heads is taken to have: 64 elements each, as in most models. */
const HEAD_SIZE = 64;

/** Inputs are `[batch, sequence, hidden]`, or `[batch, heads, sequence, head]`. */
export function attentionSeconds(work: WorkNode, weights: Weights): number {
  const { node, inputs, outputs } = work;
  const query = inputs.at(0);
  const out = outputs.at(0);
  if (query === undefined || out === undefined) return 0;
  const hasWeights = WITH_WEIGHTS.has(node.opType) && node.domain !== '';
  const key = (hasWeights ? query : inputs.at(1)) ?? query;
  const [batch = 1] = query.shape;
  const isSplit = query.shape.length === 4;
  const sequence = query.shape.at(-2) ?? 1;
  const keys = key.shape.at(-2) ?? 1;
  const hidden = query.elements / Math.max(1, batch * sequence);
  const heads = isSplit ? (query.shape.at(1) ?? 1) : Math.max(1, Math.round(hidden / HEAD_SIZE));
  const head = hidden / heads;
  const dtype = query.dtype;
  const count = batch * heads;
  const scores = productSeconds({ count, rows: sequence, inner: head, columns: keys, dtype }, 'tensor');
  const mixed = productSeconds({ count, rows: sequence, inner: keys, columns: head, dtype }, 'tensor');
  const softmax = count * sequence * keys * vcpu.INPUT_ELEMENT_NS.softmax * 1e-9;
  const projection = hasWeights ? inputs.at(1) : undefined;
  const projected =
    projection === undefined
      ? 0
      : productSeconds(
          {
            count: 1,
            rows: batch * sequence,
            inner: hidden,
            columns: projection.shape.at(-1) ?? 1,
            dtype: projection.dtype,
          },
          projection.isWeight ? weights : 'tensor',
        );
  return projected + scores + softmax + mixed + memorySeconds(work);
}

/** Where an operator has its kernel; by default, it is input 1. */
const KERNEL_INPUT: Readonly<Record<string, number>> = { QLinearConv: 3 };

/** Dimensions of a kernel whose windows have one dimension. */
const LINE_RANK = 3;

/** From this ratio of input to output elements on, the windows are taken to be more than one element apart. */
const STRIDE_RATIO = 1.6;

/** Seconds of a node whose kernel has the shape `[output channels, input channels of a group, ...window]`. */
export function convolutionSeconds(work: WorkNode): number {
  const { node, inputs, outputs } = work;
  const input = inputs.at(0);
  const kernel = inputs.at(KERNEL_INPUT[node.opType] ?? 1);
  const out = outputs.at(0);
  if (input === undefined || kernel === undefined || out === undefined) return 0;
  const own =
    node.opType === 'ConvTranspose'
      ? transposedSeconds(input, kernel, out)
      : directSeconds(node.opType, input, kernel, out);
  return vcpu.CONVOLUTION_OVERHEAD + own + memorySeconds(work);
}

/** The kernel is the left matrix. `QLinearConv` has kernels of its own for signed weights. */
function convolutionRate(opType: string, { dtype }: WorkTensor): number {
  if (opType === 'ConvInteger' && dtype === 'int8') return vcpu.PRODUCT_RATE.signedLeft;
  return dtype === 'uint8' || dtype === 'int8' ? vcpu.PRODUCT_RATE[dtype] : vcpu.CONVOLUTION_RATE;
}

function directSeconds(opType: string, input: WorkTensor, kernel: WorkTensor, out: WorkTensor): number {
  const [batch = 1, channels = 1] = out.shape;
  const [, groupChannels = 1] = kernel.shape;
  const window = product(kernel.shape.slice(2));
  const positions = out.elements / Math.max(1, batch * channels);
  const groups = Math.max(1, (input.shape.at(1) ?? groupChannels) / Math.max(1, groupChannels));
  const isStrided = (input.shape.at(-1) ?? 1) >= STRIDE_RATIO * (out.shape.at(-1) ?? 1);
  if (groupChannels === 1 && groups > 1) {
    const ownRate = isStrided ? vcpu.DEPTHWISE_RATE.strided : vcpu.DEPTHWISE_RATE.dense;
    return (2 * out.elements * window) / ownRate;
  }
  const inner = groupChannels * window;
  const operations = 2 * batch * groups * padded(channels / groups, 'floats') * inner * positions;
  const computing = operations / convolutionRate(opType, kernel);
  // A window of one element needs no copy.
  const copied = window === 1 && !isStrided ? 0 : batch * groups * inner * positions;
  const isLine = opType === 'ConvInteger' && kernel.shape.length === LINE_RANK;
  if (isLine) return computing + copied * vcpu.INTEGER_WINDOW_NS * 1e-9;
  const speed = isStrided ? vcpu.BANDWIDTH.stridedWindows : vcpu.BANDWIDTH.windows;
  return computing + (copied * bytesOfElement(input)) / speed;
}

/** Each input element adds a window to the output: the product comes first, then the windows are added. */
function transposedSeconds(input: WorkTensor, kernel: WorkTensor, out: WorkTensor): number {
  const [, groupOutputs = 1] = kernel.shape;
  const window = product(kernel.shape.slice(2));
  const operations = 2 * input.elements * groupOutputs * window;
  const windows = (input.elements / Math.max(1, input.shape.at(1) ?? 1)) * (out.shape.at(1) ?? 1) * window;
  return (
    operations / vcpu.CONVOLUTION_RATE + (windows * bytesOfElement(input)) / vcpu.BANDWIDTH.stridedWindows
  );
}

function bytesOfElement({ bytes, elements }: WorkTensor): number {
  return bytes / Math.max(1, elements);
}
