/** Generates an image network of grouped and depthwise convolutions, like ResNeXt and MobileNet, that ends in an upsampling. */
import { FLOAT, GraphBuilder } from './graph-builder';

interface GroupedShape {
  readonly blocks: number;
  /** Channels of the first block; each later one has twice as many, and half the height and width. */
  readonly channels: number;
  /** Height and width of the image. */
  readonly size: number;
}

const GROUPS = 8;

/** Input `image` is float32[batch,channels,size,size], output `y` float32[batch,channels,size / 2,size / 2]. */
export function writeGroupedConvolutions(file: string, { blocks, channels, size }: GroupedShape): void {
  const graph = new GraphBuilder();
  let x = graph.input('image', FLOAT, ['batch', channels, size, size]);
  let width = channels;
  for (let block = 0; block < blocks; block++) {
    const grouped = conv(graph, x, { from: width, to: 2 * width, kernel: 3, groups: GROUPS, stride: 2 });
    const depthwise = conv(graph, grouped, {
      from: 2 * width,
      to: 2 * width,
      kernel: 5,
      groups: 2 * width,
      stride: 1,
    });
    x = graph.node('Add', [
      grouped,
      conv(graph, depthwise, { from: 2 * width, to: 2 * width, kernel: 1, groups: 1, stride: 1 }),
    ]);
    width *= 2;
  }
  // More filters than pixels: the image is copied into columns.
  x = conv(graph, x, { from: width, to: 2 * width, kernel: 3, groups: 1, stride: 2 });
  const kernel = 2 ** blocks;
  const scale = 1 / Math.sqrt(width);
  const up = graph.node('ConvTranspose', [x, graph.floats([2 * width, channels, kernel, kernel], scale)], {
    kernel_shape: [kernel, kernel],
    strides: [kernel, kernel],
  });
  graph.output(graph.node('Tanh', [up], {}, 'y'), FLOAT, ['batch', channels, size / 2, size / 2]);
  graph.write(file);
}

interface Convolution {
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly groups: number;
  readonly stride: number;
}

/** A convolution with as many pixels as its input, divided by the stride, and a Relu. */
function conv(graph: GraphBuilder, x: string, { from, to, kernel, groups, stride }: Convolution): string {
  const channels = from / groups;
  const scale = 1.7 / Math.sqrt(channels * kernel * kernel);
  const pad = (kernel - 1) / 2;
  const y = graph.node('Conv', [x, graph.floats([to, channels, kernel, kernel], scale)], {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    group: groups,
  });
  return graph.node('Relu', [y]);
}
