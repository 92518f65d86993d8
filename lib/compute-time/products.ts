/** Products of matrices, and the layers that consist of them: convolutions, recurrent layers, and attention as one node. */
import { product } from '../shapes/value-types';
import { type WorkNode, type WorkTensor, totalElements, movedBytes } from './node-tensors';
import {
  BANDWIDTH,
  PRODUCT_RATE,
  PRODUCT_TILE,
  ELEMENT_NS,
  INPUT_ELEMENT_NS,
  CONVOLUTION_OVERHEAD,
  DEPTHWISE_RATE,
  DEQUANTIZATION_NS,
} from './reference-processor';

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

/** @param isPacked whether the right matrix was packed for the kernel before; otherwise each run packs it first */
function productSeconds({ count, rows, inner, columns, dtype }: Product, isPacked = false): number {
  const width = elementBytes(dtype);
  const rightBytes = count * inner * columns * width;
  if (rows < FEW_ROWS) return rightBytes / (isPacked ? BANDWIDTH.packedWeights : BANDWIDTH.weights);
  const operations =
    2 * count * paddedTo(rows, PRODUCT_TILE.rows) * inner * paddedTo(columns, PRODUCT_TILE.columns);
  return operations / productRate(dtype) + (isPacked ? 0 : rightBytes / BANDWIDTH.packing);
}

function paddedTo(size: number, tile: number): number {
  return Math.ceil(size / tile) * tile;
}

function productRate(dtype: string | undefined): number {
  if (dtype === undefined) return PRODUCT_RATE.float32;
  if (/^u?int/.test(dtype)) return PRODUCT_RATE.int8;
  return dtype === 'float64' || dtype === 'float16' ? PRODUCT_RATE[dtype] : PRODUCT_RATE.float32;
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
const FEW_BITS = /^MatMul(NBits|Bnb4|FpQ4)$/;

export function productNodeSeconds(work: WorkNode, prepacking: boolean): number {
  const { node, inputs, outputs } = work;
  const left = inputs.at(0);
  const right = inputs.at(RIGHT_INPUT[node.opType] ?? 1);
  const out = outputs.at(0);
  if (left === undefined || right === undefined || out === undefined) return 0;
  const moved = (left.bytes + out.bytes) / BANDWIDTH.elementwise;
  const conversion = node.opType.startsWith('DynamicQuantize') ? (4 * left.bytes) / BANDWIDTH.elementwise : 0;
  const found = productOf(node.opType, left, right, out);
  const isPacked = prepacking && right.isWeight;
  const dequantization = dequantizesWeights(work, prepacking)
    ? found.inner * found.columns * DEQUANTIZATION_NS * 1e-9
    : 0;
  return productSeconds(found, isPacked) + dequantization + moved + conversion;
}

function productOf(opType: string, left: WorkTensor, right: WorkTensor, out: WorkTensor): Product {
  const columns = out.shape.at(-1) ?? 1;
  if (opType === 'Einsum') return contraction(left, right, out);
  // Weights of 4 bits have a shape of their own: [columns, blocks, bytes of a block].
  const isPacked = FEW_BITS.test(opType);
  // A batch of left matrices times one right matrix is one product with many rows.
  const rows = out.elements / Math.max(1, columns);
  const count =
    right.shape.length <= 2 || isPacked ? 1 : right.elements / Math.max(1, product(right.shape.slice(-2)));
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

/** Activations for each element of the state in a step: 3 gates and 2 tangents of an LSTM. */
const ACTIVATIONS = 5;

/**
 * Inputs: `X [steps, batch, inputs]`, `W [directions, gates x hidden, inputs]`, `R [directions, gates x hidden, hidden]`. The
 * product with `W` is one for all steps, the product with `R` is one for each step.
 */
export function recurrentSeconds({ inputs, outputs }: WorkNode, prepacking: boolean): number {
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
    prepacking && w.isWeight,
  );
  const fromState = productSeconds(
    {
      count: directions * steps,
      rows: batch,
      inner: hidden,
      columns: gates,
      dtype: r.dtype,
    },
    prepacking && r.isWeight,
  );
  const activations = positions * directions * hidden * ACTIVATIONS * ELEMENT_NS.vectorized * 1e-9;
  const written = (totalElements(outputs) * 4) / BANDWIDTH.elementwise;
  return fromInputs + fromState + activations + written;
}

const WITH_WEIGHTS = new Set(['Attention', 'QAttention', 'PackedAttention', 'LongformerAttention']);

/** Heads that a shape without a dimension of heads is taken to have: 64 elements each, as in most models. */
const HEAD_SIZE = 64;

/** Inputs are `[batch, sequence, hidden]`, or `[batch, heads, sequence, head]`. */
export function attentionSeconds(work: WorkNode, prepacking: boolean): number {
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
  const scores = productSeconds({ count, rows: sequence, inner: head, columns: keys, dtype });
  const mixed = productSeconds({ count, rows: sequence, inner: keys, columns: head, dtype });
  const softmax = count * sequence * keys * INPUT_ELEMENT_NS.softmax * 1e-9;
  const weights = hasWeights ? inputs.at(1) : undefined;
  const projected =
    weights === undefined
      ? 0
      : productSeconds(
          {
            count: 1,
            rows: batch * sequence,
            inner: hidden,
            columns: weights.shape.at(-1) ?? 1,
            dtype: weights.dtype,
          },
          prepacking && weights.isWeight,
        );
  return projected + scores + softmax + mixed + movedBytes(work) / BANDWIDTH.copy;
}

/** Where an operator has its kernel; by default, it is input 1. */
const KERNEL_INPUT: Readonly<Record<string, number>> = { QLinearConv: 3 };

/** From this ratio of input to output elements on, the windows are taken to be more than one element apart. */
const STRIDE_RATIO = 1.6;

/** Seconds of a node whose kernel has the shape `[output channels, input channels of a group, ...window]`. */
export function convolutionSeconds({ node, inputs, outputs }: WorkNode): number {
  const input = inputs.at(0);
  const kernel = inputs.at(KERNEL_INPUT[node.opType] ?? 1);
  const out = outputs.at(0);
  if (input === undefined || kernel === undefined || out === undefined) return 0;
  const moved = (input.bytes + out.bytes) / BANDWIDTH.elementwise;
  const own =
    node.opType === 'ConvTranspose'
      ? transposedSeconds(input, kernel, out)
      : directSeconds(input, kernel, out);
  return CONVOLUTION_OVERHEAD + own + moved;
}

function directSeconds(input: WorkTensor, kernel: WorkTensor, out: WorkTensor): number {
  const [batch = 1, channels = 1] = out.shape;
  const [, groupChannels = 1] = kernel.shape;
  const window = product(kernel.shape.slice(2));
  const positions = out.elements / Math.max(1, batch * channels);
  const groups = Math.max(1, (input.shape.at(1) ?? groupChannels) / Math.max(1, groupChannels));
  const isStrided = (input.shape.at(-1) ?? 1) >= STRIDE_RATIO * (out.shape.at(-1) ?? 1);
  if (groupChannels === 1 && groups > 1) {
    const rate = isStrided ? DEPTHWISE_RATE.strided : DEPTHWISE_RATE.dense;
    return (2 * out.elements * window) / rate;
  }
  const inner = groupChannels * window;
  // A window of one element needs no copy.
  const copied = window === 1 && !isStrided ? 0 : batch * groups * inner * positions * bytesOfElement(input);
  const speed = isStrided ? BANDWIDTH.stridedWindows : BANDWIDTH.windows;
  return (
    productSeconds({
      count: batch * groups,
      rows: Math.max(2, channels / groups),
      inner,
      columns: positions,
      dtype: kernel.dtype,
    }) +
    copied / speed
  );
}

/** Each input element adds a window to the output: the product comes first, then the windows are added. */
function transposedSeconds(input: WorkTensor, kernel: WorkTensor, out: WorkTensor): number {
  const [, groupOutputs = 1] = kernel.shape;
  const window = product(kernel.shape.slice(2));
  const operations = 2 * input.elements * groupOutputs * window;
  const windows = (input.elements / Math.max(1, input.shape.at(1) ?? 1)) * (out.shape.at(1) ?? 1) * window;
  return (
    operations / productRate(kernel.dtype) + (windows * bytesOfElement(input)) / BANDWIDTH.stridedWindows
  );
}

function bytesOfElement({ bytes, elements }: WorkTensor): number {
  return bytes / Math.max(1, elements);
}
