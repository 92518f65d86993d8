/** Generates a text encoder whose attention is one node, as ONNX Runtime's transformer optimizer writes it. */
import { FLOAT, GraphBuilder, INT32 } from '../graph-builder';

interface FusedEncoderShape {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  /** `Attention` projects the hidden states itself, `MultiHeadAttention` gets queries, keys and values. */
  readonly operator: 'Attention' | 'MultiHeadAttention';
}

/** Inputs `x` is float32[batch,sequence,hidden] and `mask` int32[batch,sequence]; output `y` has the shape of `x`. */
export function writeFusedEncoder(file: string, shape: FusedEncoderShape): void {
  const graph = new GraphBuilder();
  const dims = ['batch', 'sequence', shape.hidden];
  let x = graph.input('x', FLOAT, dims);
  const mask = graph.input('mask', INT32, ['batch', 'sequence']);
  for (let layer = 0; layer < shape.layers; layer++) x = encoderLayer(graph, shape, x, mask);
  graph.output(graph.node('Tanh', [x], {}, 'y'), FLOAT, dims);
  graph.write(file);
}

function encoderLayer(
  graph: GraphBuilder,
  { hidden, heads, operator }: FusedEncoderShape,
  x: string,
  mask: string,
): string {
  const normalized = (value: string): string =>
    graph.node('LayerNormalization', [value, graph.floats([hidden], 1), graph.floats([hidden])]);
  const linear = (value: string, from: number, to: number): string =>
    graph.node('MatMul', [value, graph.floats([from, to])]);
  const attended =
    operator === 'Attention'
      ? graph.contributed(
          'Attention',
          [x, graph.floats([hidden, 3 * hidden]), graph.floats([3 * hidden]), mask],
          { num_heads: heads },
        )
      : graph.contributed(
          'MultiHeadAttention',
          [...[0, 1, 2].map(() => linear(x, hidden, hidden)), graph.floats([3 * hidden]), mask],
          { num_heads: heads },
        );
  const sum = normalized(graph.node('Add', [x, linear(attended, hidden, hidden)]));
  const wide = graph.contributed('BiasGelu', [linear(sum, hidden, 4 * hidden), graph.floats([4 * hidden])]);
  return normalized(graph.node('Add', [sum, linear(wide, 4 * hidden, hidden)]));
}
