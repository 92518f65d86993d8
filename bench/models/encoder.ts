/** Generates a text encoder like T5 with int8 weights. */
import { FLOAT, GraphBuilder, INT64 } from '../graph-builder';

interface EncoderShape {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  /**
   * `dynamic` quantizes activations at run time and multiplies integers, as ONNX Runtime's dynamic quantization does.
   * `weights` dequantizes the weights and multiplies floats.
   */
  readonly quantization: 'dynamic' | 'weights';
}

/** Input `ids` is int64[1,sequence], output `hidden` float32[1,sequence,hidden]. */
export function writeEncoder(file: string, shape: EncoderShape): void {
  const graph = new GraphBuilder();
  const ids = graph.input('ids', INT64, [1, 'sequence']);
  const layers = new EncoderLayers(graph, shape);
  const words = graph.node('DequantizeLinear', [
    graph.int8([shape.vocabulary, shape.hidden]),
    graph.scalar(0.01),
    graph.zeroPoint(),
  ]);
  let x = graph.node('Gather', [words, ids]);
  for (let layer = 0; layer < shape.layers; layer++) x = layers.layer(x);
  graph.output(graph.node('Identity', [x], {}, 'hidden'), FLOAT, [1, 'sequence', shape.hidden]);
  graph.write(file);
}

class EncoderLayers {
  constructor(
    private readonly graph: GraphBuilder,
    private readonly shape: EncoderShape,
  ) {}

  layer(x: string): string {
    const { graph } = this;
    const { hidden, heads, feedForward } = this.shape;
    const normal = this.normalized(x);
    const turned = (perm: number[]): string =>
      graph.node(
        'Transpose',
        [
          graph.node('Reshape', [
            this.linear(normal, hidden, hidden),
            graph.integers([0, 0, heads, hidden / heads]),
          ]),
        ],
        { perm },
      );
    const [q, k, v] = [turned([0, 2, 1, 3]), turned([0, 2, 3, 1]), turned([0, 2, 1, 3])];
    const scores = graph.node('Add', [graph.node('MatMul', [q, k]), graph.floats([1, heads, 1, 1])]);
    const attention = graph.node('Softmax', [scores], { axis: -1 });
    const mixed = graph.node('Transpose', [graph.node('MatMul', [attention, v])], { perm: [0, 2, 1, 3] });
    const joined = graph.node('Reshape', [mixed, graph.integers([0, 0, hidden])]);
    const attended = graph.node('Add', [x, this.linear(joined, hidden, hidden)]);
    const wide = graph.node('Relu', [this.linear(this.normalized(attended), hidden, feedForward)]);
    return graph.node('Add', [attended, this.linear(wide, feedForward, hidden)]);
  }

  /** RMS normalization in primitive operators, as exporters write it. */
  private normalized(x: string): string {
    const { graph } = this;
    const squares = graph.node('Pow', [x, graph.scalar(2)]);
    const mean = graph.node('ReduceMean', [squares], { axes: [-1] });
    const root = graph.node('Sqrt', [graph.node('Add', [mean, graph.scalar(1e-6)])]);
    return graph.node('Mul', [graph.floats([this.shape.hidden], 1), graph.node('Div', [x, root])]);
  }

  private linear(x: string, from: number, to: number): string {
    const { graph } = this;
    const weights = graph.int8([from, to]);
    const scale = graph.scalar(1 / (64 * Math.sqrt(from)));
    if (this.shape.quantization === 'weights') {
      return graph.node('MatMul', [x, graph.node('DequantizeLinear', [weights, scale, graph.zeroPoint()])]);
    }
    const [quantized, inputScale, zero] = graph.nodeOf(
      'DynamicQuantizeLinear',
      [x],
      [graph.fresh(), graph.fresh(), graph.fresh()],
    );
    const product = graph.node('MatMulInteger', [quantized, weights, zero, graph.zeroPoint()]);
    const floats = graph.node('Cast', [product], { to: FLOAT });
    return graph.node('Mul', [floats, graph.node('Mul', [inputScale, scale])]);
  }
}
