/** Convolutions. */
import type { WorkNode, WorkTensor } from './node-tensors';
import { productRate, productSeconds } from './products';
import { BANDWIDTH, CONVOLUTION_OVERHEAD, DEPTHWISE_RATE } from './reference-processor';

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
  const window = windowElements(kernel);
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
  const window = windowElements(kernel);
  const operations = 2 * input.elements * groupOutputs * window;
  const windows = (input.elements / Math.max(1, input.shape.at(1) ?? 1)) * (out.shape.at(1) ?? 1) * window;
  return (
    operations / productRate(kernel.dtype) + (windows * bytesOfElement(input)) / BANDWIDTH.stridedWindows
  );
}

function windowElements({ shape }: WorkTensor): number {
  return shape.slice(2).reduce((product, size) => product * size, 1);
}

function bytesOfElement({ bytes, elements }: WorkTensor): number {
  return bytes / Math.max(1, elements);
}
