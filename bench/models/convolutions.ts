/** Generates image networks of residual convolutions, as in ResNet. */
import { FLOAT, GraphBuilder } from '../graph-builder';

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
  const scale = 1.7 / Math.sqrt(channels * 9);
  let x = graph.input('x', FLOAT, dims);
  for (let layer = 1; layer <= layers; layer++) {
    const filters = graph.floats([channels, channels, 3, 3], scale);
    const conv = graph.node('Conv', [x, filters], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
    const relu = graph.node('Relu', [conv]);
    x = graph.node('Add', [relu, x], {}, layer === layers ? 'y' : undefined);
  }
  graph.output(x, FLOAT, dims);
  graph.write(file);
}
