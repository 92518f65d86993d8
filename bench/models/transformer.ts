/** Generates a transformer encoder like BERT, the main model of the runtime benchmarks. */
import { FLOAT, GraphBuilder, INT64 } from '../graph-builder';

export interface TransformerShape {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly sequence: number;
}

/** 24 layers of 1,024: 1.3 GB of float32. https://arxiv.org/abs/1810.04805 */
export const BERT_LARGE: TransformerShape = {
  ...{ layers: 24, hidden: 1024, heads: 16 },
  ...{ vocabulary: 30_522, sequence: 128 },
};

/** Writes the model with external data. Input `ids` is int64[1,sequence], output `hidden` float32[1,sequence,hidden]. */
export function writeTransformer(file: string, shape: TransformerShape): void {
  const { layers, hidden, vocabulary, sequence } = shape;
  const graph = new GraphBuilder({ weights: `${file}.data` });
  const encoder = new Encoder(graph, shape);
  const ids = graph.input('ids', INT64, [1, sequence]);
  const words = graph.node('Gather', [graph.floats([vocabulary, hidden]), ids]);
  const placed = graph.node('Add', [words, graph.floats([1, sequence, hidden])]);
  let x = encoder.normalized(placed);
  for (let layer = 0; layer < layers; layer++) x = encoder.layer(x);
  graph.output(graph.node('Identity', [x], {}, 'hidden'), FLOAT, [1, sequence, hidden]);
  graph.write(file);
}

class Encoder {
  /** Shared by all layers. */
  private readonly constants;

  constructor(
    private readonly graph: GraphBuilder,
    private readonly shape: TransformerShape,
  ) {
    const { hidden, heads } = shape;
    this.constants = {
      ...{
        toHeads: graph.integers([0, 0, heads, hidden / heads]),
        fromHeads: graph.integers([0, 0, hidden]),
      },
      ...{ scale: graph.scalar(Math.sqrt(heads / hidden)), root: graph.scalar(Math.SQRT1_2) },
      ...{ half: graph.scalar(0.5), one: graph.scalar(1) },
    };
  }

  layer(x: string): string {
    const { graph, constants } = this;
    const { hidden } = this.shape;
    const heads = (perm: readonly number[]): string => {
      const split = graph.node('Reshape', [this.linear(x, hidden, hidden), constants.toHeads]);
      return graph.node('Transpose', [split], { perm });
    };
    const [q, k, v] = [heads([0, 2, 1, 3]), heads([0, 2, 3, 1]), heads([0, 2, 1, 3])];
    const scaled = graph.node('Mul', [graph.node('MatMul', [q, k]), constants.scale]);
    const mixed = graph.node('MatMul', [graph.node('Softmax', [scaled], { axis: -1 }), v]);
    const turned = graph.node('Transpose', [mixed], { perm: [0, 2, 1, 3] });
    const joined = graph.node('Reshape', [turned, constants.fromHeads]);
    const middle = this.normalized(graph.node('Add', [this.linear(joined, hidden, hidden), x]));
    const wide = this.gelu(this.linear(middle, hidden, 4 * hidden));
    return this.normalized(graph.node('Add', [this.linear(wide, 4 * hidden, hidden), middle]));
  }

  normalized(x: string): string {
    const [scale, bias] = [0, 1].map(() => this.graph.floats([this.shape.hidden]));
    return this.graph.node('LayerNormalization', [x, scale, bias], { axis: -1 });
  }

  private linear(x: string, from: number, to: number): string {
    const product = this.graph.node('MatMul', [x, this.graph.floats([from, to])]);
    return this.graph.node('Add', [product, this.graph.floats([to])]);
  }

  private gelu(x: string): string {
    const { root, one, half } = this.constants;
    const erf = this.graph.node('Erf', [this.graph.node('Mul', [x, root])]);
    const halved = this.graph.node('Mul', [this.graph.node('Add', [erf, one]), half]);
    return this.graph.node('Mul', [x, halved]);
  }
}
