// A small model for the stack of the README and of the examples. Needs `npm run build`.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const LAYERS = 4;
const CHANNELS = 8;

/** Writes a chain of convolutions, whose input has the dimensions `batch` and `width`. */
export function writeSmallModel(file) {
  const { FLOAT, GraphBuilder } = require('../../../dist/bench/graph-builder.js');
  const graph = new GraphBuilder();
  let x = graph.input('x', FLOAT, ['batch', 3, 48, 'width']);
  for (let layer = 0; layer < LAYERS; layer++) {
    const weights = graph.floats([CHANNELS, layer === 0 ? 3 : CHANNELS, 3, 3]);
    x = graph.node('Relu', [graph.node('Conv', [x, weights])], {}, layer === LAYERS - 1 ? 'y' : undefined);
  }
  graph.output(x, FLOAT, ['batch', CHANNELS, 48 - 2 * LAYERS, 'width_out']);
  graph.write(file);
}
