// A small model for the stack of the README and of the examples. Needs `npm run build`.
import { createRequire } from 'node:module';
import * as path from 'node:path';

const require = createRequire(import.meta.url);

const CHANNELS = 8;

/** Writes a chain of convolutions, whose input has the dimensions `batch` and `width`. */
export function writeSmallModel(file) {
  const { FLOAT, floats, node, saveModel, value } = require('../../dist/test/support/model-builder.js');
  const values = ['x', 'r0', 'r1', 'r2', 'y'];
  const graph = {
    node: values.slice(1).flatMap((result, layer) => {
      const conv = node('Conv', [values[layer], `w${layer}`], [`c${layer}`]);
      return [conv, node('Relu', [`c${layer}`], [result])];
    }),
    initializer: [3, CHANNELS, CHANNELS, CHANNELS].map((from, layer) =>
      floats(`w${layer}`, [CHANNELS, from, 3, 3]),
    ),
    input: [value('x', FLOAT, ['batch', 3, 48, 'width'])],
    output: [value('y', FLOAT, ['batch', CHANNELS, 40, 'width_out'])],
  };
  saveModel({ graph }, path.basename(file), path.dirname(file));
}
