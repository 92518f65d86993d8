/**
 * Buffers of convolutions. Every kernel works on one image and one group at a time, so neither the batch nor the number of groups
 * multiplies its columns.
 */
import { product } from '../../../shapes/value-types';
import type { WorkNode, WorkTensor } from '../../../compute-time/node-tensors';

/** Kernels of 8-bit integers add up in 32 bits before they round. */
const SUM_BYTES = 4;
/** ONNX Runtime is built for processors with 64-bit addresses. */
const POINTER_BYTES = 8;

interface ConvolutionShape {
  /** Output channels of a group. */
  readonly filters: number;
  /** Input channels of a group. */
  readonly channels: number;
  /** Elements of the window. */
  readonly taps: number;
  /** Output pixels of an image. */
  readonly pixels: number;
  /** Whether the window is one pixel and the output has as many pixels as the input, so that no column is copied. */
  readonly isPointwise: boolean;
  readonly isDepthwise: boolean;
}

/**
 * A convolution of floats copies the image into columns if a group has more filters than the output has pixels. Otherwise it
 * copies 64 KiB of columns at a time for each thread, and does not touch the rest of the buffer that it allocates.
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/core/mlas/lib/convolve.cpp (`MlasConvPrepare`)
 */
export function convolutionScratch({ inputs, outputs }: WorkNode): number {
  const shape = shapeOf(inputs.at(0), inputs.at(1), outputs.at(0));
  if (shape === undefined || shape.isPointwise || shape.filters <= shape.pixels) return 0;
  return columnElements(shape) * elementBytes(outputs.at(0));
}

/**
 * A deformable convolution, and one of integers, copies the image into columns for each group.
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/core/providers/cpu/quantization/conv_integer.cc
 */
export function columnsScratch({ inputs, outputs }: WorkNode): number {
  const shape = shapeOf(inputs.at(0), inputs.at(1), outputs.at(0));
  if (shape === undefined || shape.isPointwise) return 0;
  return columnElements(shape) * elementBytes(inputs.at(0));
}

/**
 * A transposed convolution multiplies first and then adds the columns up. The weights have the shape `[channels, filters of a
 * group, ...window]`.
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/core/providers/cpu/nn/conv_transpose.cc
 */
export function transposedConvolutionScratch({ inputs }: WorkNode): number {
  const [input, weights] = inputs;
  if (input === undefined || weights === undefined || weights.shape.length < 3) return 0;
  const [, ...rest] = weights.shape;
  return product(rest) * product(input.shape.slice(2)) * elementBytes(input);
}

/**
 * A quantized convolution reorders weights that were not prepacked in each run, which counts in any case. It transposes the image and its output,
 * and adds up in 32 bits. Depthwise, it has a pointer instead of a column for each element of the window.
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/core/providers/cpu/quantization/qlinearconv.cc
 */
export function quantizedConvolutionScratch({ inputs, outputs }: WorkNode): number {
  const [input, weights, output] = [inputs.at(0), inputs.at(3), outputs.at(0)];
  const shape = shapeOf(input, weights, output);
  if (input === undefined || weights === undefined || output === undefined || shape === undefined) return 0;
  const [batch = 1] = output.shape;
  const image = output.elements / Math.max(1, batch);
  const transposed = input.elements / Math.max(1, batch) + image;
  return weights.elements + transposed + SUM_BYTES * image + quantizedColumns(shape);
}

function quantizedColumns(shape: ConvolutionShape): number {
  if (shape.isDepthwise) return POINTER_BYTES * shape.taps * shape.pixels;
  return shape.isPointwise ? 0 : columnElements(shape);
}

function shapeOf(
  input: WorkTensor | undefined,
  weights: WorkTensor | undefined,
  output: WorkTensor | undefined,
): ConvolutionShape | undefined {
  if (input === undefined || weights === undefined || output === undefined) return undefined;
  const [allFilters = 0, channels = 0, ...window] = weights.shape;
  if (window.length === 0 || allFilters === 0 || channels === 0) return undefined;
  const groups = Math.max(1, (input.shape.at(1) ?? channels) / channels);
  const [taps, pixels] = [product(window), product(output.shape.slice(2))];
  return {
    filters: allFilters / groups,
    channels,
    taps,
    pixels,
    isPointwise: taps === 1 && pixels === product(input.shape.slice(2)),
    isDepthwise: channels === 1 && allFilters === groups,
  };
}

function columnElements({ channels, taps, pixels }: ConvolutionShape): number {
  return channels * taps * pixels;
}

function elementBytes(tensor: WorkTensor | undefined): number {
  return tensor === undefined ? 0 : tensor.bytes / Math.max(1, tensor.elements);
}
