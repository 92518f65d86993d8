/** Generates an image detector like YOLO: SiLU, Split, Concat, pooling and nearest-neighbor upsampling. */
import { FLOAT, GraphBuilder } from '../graph-builder';
import { convolution } from './convolutions';

interface DetectorShape {
  /** Height and width of the image, a multiple of 32. */
  readonly size: number;
  /** Channels of the first stage; each of the five stages has twice as many as the one before. */
  readonly channels: number;
}

/** Input `images` is float32[1,3,size,size]. */
export function writeDetector(file: string, { size, channels }: DetectorShape): void {
  const graph = new GraphBuilder();
  const layers = new DetectorLayers(graph);
  let x = graph.input('images', FLOAT, [1, 3, size, size]);
  x = layers.conv(x, 3, channels, 3, 2);
  const stages: string[] = [];
  for (let stage = 1; stage <= 4; stage++) {
    const width = channels * 2 ** stage;
    x = layers.conv(x, width / 2, width, 3, 2);
    x = layers.block(x, width, stage === 2 || stage === 3 ? 2 : 1);
    stages.push(x);
  }
  x = layers.pools(x, channels * 16);
  const middle = layers.block(
    layers.conv(layers.joined([layers.doubled(x), stages[2]]), channels * 24, channels * 8, 1, 1),
    channels * 8,
    1,
  );
  const fine = layers.block(
    layers.conv(layers.joined([layers.doubled(middle), stages[1]]), channels * 12, channels * 4, 1, 1),
    channels * 4,
    1,
  );
  const heads = [
    layers.head(fine, channels * 4, size / 8),
    layers.head(middle, channels * 8, size / 16),
    layers.head(x, channels * 16, size / 32),
  ];
  const boxes = graph.node('Concat', heads, { axis: 2 });
  const cells = (size / 8) ** 2 + (size / 16) ** 2 + (size / 32) ** 2;
  const out = graph.node('Sigmoid', [boxes], {}, 'detections');
  graph.output(out, FLOAT, [1, 84, cells]);
  graph.write(file);
}

class DetectorLayers {
  constructor(private readonly graph: GraphBuilder) {}

  /** Convolution and SiLU. */
  conv(x: string, from: number, to: number, kernel: number, stride: number): string {
    const y = convolution(this.graph, x, { from, to, kernel, stride }, [this.graph.floats([to])]);
    return this.graph.node('Mul', [y, this.graph.node('Sigmoid', [y])]);
  }

  /** Splits the channels, runs bottlenecks on one half, and joins all parts. */
  block(x: string, width: number, depth: number): string {
    const { graph } = this;
    const half = width / 2;
    const parts = graph.nodeOf(
      'Split',
      [this.conv(x, width, width, 1, 1), graph.integers([half, half])],
      [graph.fresh(), graph.fresh()],
      { axis: 1 },
    );
    const joined = [...parts];
    let y = parts[1];
    for (let layer = 0; layer < depth; layer++) {
      const bottleneck = this.conv(this.conv(y, half, half, 3, 1), half, half, 3, 1);
      y = graph.node('Add', [y, bottleneck]);
      joined.push(y);
    }
    return this.conv(this.joined(joined), half * joined.length, width, 1, 1);
  }

  /** Three poolings in a row, joined. */
  pools(x: string, width: number): string {
    const joined = [this.conv(x, width, width / 2, 1, 1)];
    for (let pool = 0; pool < 3; pool++) {
      const last = joined[joined.length - 1];
      joined.push(this.graph.node('MaxPool', [last], { kernel_shape: [5, 5], pads: [2, 2, 2, 2] }));
    }
    return this.conv(this.joined(joined), 2 * width, width, 1, 1);
  }

  joined(parts: readonly string[]): string {
    return this.graph.node('Concat', parts, { axis: 1 });
  }

  doubled(x: string): string {
    const scales = this.graph.node('Cast', [this.graph.integers([1, 1, 2, 2])], { to: FLOAT });
    return this.graph.node('Resize', [x, '', scales], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    });
  }

  /** Boxes and classes of each cell, as `[1, 84, cells]`. */
  head(x: string, width: number, size: number): string {
    const { graph } = this;
    const y = this.conv(this.conv(x, width, width, 3, 1), width, 84, 1, 1);
    return graph.node('Reshape', [y, graph.integers([1, 84, size * size])]);
  }
}
