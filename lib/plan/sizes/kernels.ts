/**
 * How ONNX Runtime's kernels for CPUs use memory besides their outputs. Each entry was measured: a chain of four equal
 * operators on a tensor of 32 MB, with the session options of the slice function.
 */
import type { Graph, Node, ValueIndex } from '../../onnx/model';
import { OMITTED } from '../../onnx/model';

/** The output is another view of the first input. */
const VIEWS = new Set(['Flatten', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze']);

/** The output takes the place of the first input, if nothing else needs the input and both have the same size. */
const IN_PLACE = new Set([
  'Cast',
  'Celu',
  'Clip',
  'Elu',
  'HardSigmoid',
  'LeakyRelu',
  'LogSoftmax',
  'Relu',
  'Selu',
  'Sigmoid',
  'Softmax',
  'Softplus',
  'Softsign',
  'Tanh',
  'ThresholdedRelu',
  'Trilu',
]);

/** The domain of ONNX Runtime's own operators. */
const CONTRIBUTED = 'com.microsoft';

const FLOAT_BYTES = 4;
/** Kernels of 8-bit integers add up in 32 bits before they round. */
const SUM_BYTES = 4;

/** The usual size of an attention head. The attribute with the number of heads is not read. */
const HEAD_SIZE = 64;

/** How a kernel's first output gets its memory. */
export type OutputMemory = 'new' | 'view' | 'in place';

export function outputMemory({ domain, opType }: Node): OutputMemory {
  if (domain !== '' && domain !== 'ai.onnx') return 'new';
  if (VIEWS.has(opType)) return 'view';
  return IN_PLACE.has(opType) ? 'in place' : 'new';
}

/** Bytes of the temporary buffers of the node's kernel. */
export function scratchBytes(graph: Graph, node: Node, bytes: readonly number[]): number {
  const { domain, opType, inputs, outputs } = node;
  const of = (values: readonly ValueIndex[], index: number): number => {
    const value = values.at(index) ?? OMITTED;
    return value === OMITTED ? 0 : bytes[value];
  };
  if (domain === CONTRIBUTED) {
    if (opType === 'BiasGelu') return of(outputs, 0);
    return opType === 'Attention' ? attention(weightDims(graph, inputs.at(1)), of(inputs, 0)) : 0;
  }
  const dims = weightDims(graph, inputs.at(1));
  switch (opType) {
    case 'Conv':
      return expandedImage(dims, of(outputs, 0));
    case 'ConvInteger':
      return columnsOfBytes(dims, of(outputs, 0) / SUM_BYTES);
    case 'ConvTranspose':
      return columnsOfTransposed(dims, of(inputs, 0));
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      return gates(dims, of(inputs, 0), of(outputs, 0));
    case 'QLinearConv':
      return columnsOfBytes(weightDims(graph, inputs.at(3)), of(outputs, 0)) + SUM_BYTES * of(outputs, 0);
    case 'QLinearMatMul':
      return SUM_BYTES * of(outputs, 0);
    case 'HardSwish':
      return of(outputs, 0);
    case 'Where':
      // It first selects from each of its two inputs.
      return (
        sizeWhenBroadcast(of(inputs, 1), of(outputs, 0)) + sizeWhenBroadcast(of(inputs, 2), of(outputs, 0))
      );
    case 'Einsum':
      return 2 * of(outputs, 0);
    case 'Max':
    case 'Mean':
    case 'Min':
    case 'Sum':
      return inputs.length > 2 ? 2 * of(outputs, 0) : 0;
    default:
      return 0;
  }
}

/** A tensor smaller than the output is broadcast at the end, which costs nothing when it is a scalar. */
function sizeWhenBroadcast(bytes: number, output: number): number {
  return bytes * 2 > output ? output : 0;
}

function weightDims(graph: Graph, value: ValueIndex | undefined): readonly number[] | undefined {
  if (value === undefined || value === OMITTED) return undefined;
  const { initializer, producer } = graph.values[value];
  if (initializer !== undefined) return graph.initializers[initializer].tensor.dims;
  return producer === undefined ? undefined : graph.nodes[producer].constant?.dims;
}

/**
 * A convolution of floats copies the whole image into columns if it has more filters than output pixels. Otherwise it copies
 * a few columns at a time. A 1x1 kernel needs no copy.
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/core/mlas/lib/convolve.cpp (`MlasConvPrepare`)
 *
 * @param dims filters, channels, and the sizes of the kernel
 */
function expandedImage(dims: readonly number[] | undefined, outputBytes: number): number {
  if (dims === undefined || dims.length < 3 || dims[0] === 0) return 0;
  const [filters, channels, ...kernel] = dims;
  const pixels = outputBytes / FLOAT_BYTES / filters;
  const taps = product(kernel);
  return taps > 1 && filters > pixels ? pixels * channels * taps * FLOAT_BYTES : 0;
}

/** A convolution of bytes copies the whole image into columns, unless the kernel is 1x1. */
function columnsOfBytes(dims: readonly number[] | undefined, outputElements: number): number {
  if (dims === undefined || dims.length < 3 || dims[0] === 0) return 0;
  const [filters, channels, ...kernel] = dims;
  const taps = product(kernel);
  return taps > 1 ? (outputElements / filters) * channels * taps : 0;
}

/** A transposed convolution multiplies first and then adds the columns up. */
function columnsOfTransposed(dims: readonly number[] | undefined, inputBytes: number): number {
  if (dims === undefined || dims.length < 3) return 0;
  const [channels, ...rest] = dims;
  return channels === 0 ? 0 : (inputBytes / channels) * product(rest);
}

/**
 * A recurrent operator multiplies all steps with its weights first, for both directions. The backward direction also reverses
 * its input and its output.
 *
 * @param dims directions, gates times hidden size, input size
 */
function gates(dims: readonly number[] | undefined, inputBytes: number, outputBytes: number): number {
  if (dims?.length !== 3 || dims[2] === 0) return 0;
  const [directions, width, inputs] = dims;
  const products = (inputBytes / inputs) * directions * width;
  return directions === 2 ? products + inputBytes + outputBytes : products;
}

/**
 * Attention projects its input to queries, keys and values, and computes a score for each head and each pair of positions.
 *
 * @param dims hidden size, and three times the hidden size
 */
function attention(dims: readonly number[] | undefined, inputBytes: number): number {
  if (dims?.length !== 2 || dims[0] === 0) return 0;
  const positions = inputBytes / FLOAT_BYTES / dims[0];
  return 4 * inputBytes + Math.ceil(dims[0] / HEAD_SIZE) * positions ** 2 * FLOAT_BYTES;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
