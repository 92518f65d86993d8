/** Generates a stack of bidirectional LSTMs, as in speech recognition. */
import { FLOAT, GraphBuilder } from '../graph-builder';

interface RecurrentShape {
  readonly layers: number;
  readonly features: number;
  readonly hidden: number;
}

/** Input `frames` is float32[steps,1,features], output `hidden` float32[steps,1,2 * hidden]. */
export function writeRecurrent(file: string, { layers, features, hidden }: RecurrentShape): void {
  const graph = new GraphBuilder();
  let x = graph.input('frames', FLOAT, ['steps', 1, features]);
  for (let layer = 0; layer < layers; layer++) {
    const width = layer === 0 ? features : 2 * hidden;
    const inputs = [
      x,
      graph.floats([2, 4 * hidden, width]),
      graph.floats([2, 4 * hidden, hidden]),
      graph.floats([2, 8 * hidden]),
    ];
    const y = graph.node('LSTM', inputs, { direction: 'bidirectional', hidden_size: hidden });
    const turned = graph.node('Transpose', [y], { perm: [0, 2, 1, 3] });
    x = graph.node('Reshape', [turned, graph.integers([0, 0, -1])]);
  }
  graph.output(graph.node('Tanh', [x], {}, 'hidden'), FLOAT, ['steps', 1, 2 * hidden]);
  graph.write(file);
}
