/** Convolutions, whose windows become a matrix. */
import { product } from '../shapes/value-types';
import { memorySeconds } from './kernels';
import * as vcpu from './lambda-vcpu';
import type { WorkNode, WorkTensor } from './node-tensors';
import { padded } from './products';

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
