/** Generates image networks: residual convolutions as in ResNet, and grouped and depthwise ones as in ResNeXt and MobileNet. */
import { FLOAT, GraphBuilder } from '../graph-builder';

const GROUPS = 8;

interface Convolution {
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly groups?: number;
  readonly stride?: number;
}

/** A convolution with as many pixels as its input, divided by the stride. */
export function convolution(
  graph: GraphBuilder,
  x: string,
  { from, to, kernel, groups = 1, stride = 1 }: Convolution,
  bias: readonly string[] = [],
): string {
  const channels = from / groups;
  const scale = 1.7 / Math.sqrt(channels * kernel * kernel);
  const pad = (kernel - 1) / 2;
  return graph.node('Conv', [x, graph.floats([to, channels, kernel, kernel], scale), ...bias], {
    ...{ kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] },
    group: groups,
  });
}

interface ResidualShape {
  readonly layers: number;
  readonly channels: number;
  /** Height and width. */
  readonly size: number;
}

/** Input `x` and output `y` are float32[1,channels,size,size]. */
export function writeConvolutions(file: string, { layers, channels, size }: ResidualShape): void {
  const graph = new GraphBuilder();
  const dims = [1, channels, size, size];
  let x = graph.input('x', FLOAT, dims);
  for (let layer = 1; layer <= layers; layer++) {
    const relu = graph.node('Relu', [convolution(graph, x, { from: channels, to: channels, kernel: 3 })]);
    x = graph.node('Add', [relu, x], {}, layer === layers ? 'y' : undefined);
  }
  graph.output(x, FLOAT, dims);
  graph.write(file);
}

interface GroupedShape {
  readonly blocks: number;
  /** Channels of the first block; each later one has twice as many, and half the height and width. */
  readonly channels: number;
  /** Height and width of the image. */
  readonly size: number;
}

/** Input `image` is float32[batch,channels,size,size], output `y` float32[batch,channels,size / 2,size / 2]. */
export function writeGroupedConvolutions(file: string, { blocks, channels, size }: GroupedShape): void {
  const graph = new GraphBuilder();
  const conv = (input: string, shape: Convolution): string =>
    graph.node('Relu', [convolution(graph, input, shape)]);
  let x = graph.input('image', FLOAT, ['batch', channels, size, size]);
  let width = channels;
  for (let block = 0; block < blocks; block++) {
    const to = 2 * width;
    const grouped = conv(x, { from: width, to, kernel: 3, groups: GROUPS, stride: 2 });
    const depthwise = conv(grouped, { from: to, to, kernel: 5, groups: to });
    x = graph.node('Add', [grouped, conv(depthwise, { from: to, to, kernel: 1 })]);
    width = to;
  }
  // More filters than pixels: the image is copied into columns.
  x = conv(x, { from: width, to: 2 * width, kernel: 3, stride: 2 });
  const kernel = 2 ** blocks;
  const filters = graph.floats([2 * width, channels, kernel, kernel], 1 / Math.sqrt(width));
  const up = graph.node('ConvTranspose', [x, filters], {
    ...{ kernel_shape: [kernel, kernel], strides: [kernel, kernel] },
  });
  graph.output(graph.node('Tanh', [up], {}, 'y'), FLOAT, ['batch', channels, size / 2, size / 2]);
  graph.write(file);
}
