// A small model for the stack of the README and of the examples. Needs `npm run build`.
import { createRequire } from 'node:module';
import * as fs from 'node:fs';

const { ModelProto } = createRequire(import.meta.url)('../../../dist/bench/onnx-schema.js');

const FLOAT = 1;
const LAYERS = 4;
const CHANNELS = 8;

/**
 * Writes a chain of convolutions, whose input has the dimensions `batch` and `width`.
 *
 * @param {string} file
 */
export function writeSmallModel(file) {
  const names = ['x', ...Array.from({ length: LAYERS - 1 }, (_, layer) => `hidden${layer}`), 'y'];
  const graph = {
    name: 'convolutions',
    node: Array.from({ length: LAYERS }, (_, layer) => [
      { opType: 'Conv', input: [names[layer], `weights${layer}`], output: [`sums${layer}`] },
      { opType: 'Relu', input: [`sums${layer}`], output: [names[layer + 1]] },
    ]).flat(),
    initializer: Array.from({ length: LAYERS }, (_, layer) =>
      weights(`weights${layer}`, [CHANNELS, layer === 0 ? 3 : CHANNELS, 3, 3]),
    ),
    input: [tensor('x', ['batch', 3, 48, 'width'])],
    output: [tensor('y', ['batch', CHANNELS, 48 - 2 * LAYERS, 'width_out'])],
  };
  const model = { irVersion: 9, opsetImport: [{ domain: '', version: 17 }], graph };
  fs.writeFileSync(file, ModelProto.encode(ModelProto.create(model)).finish());
}

function weights(name, dims) {
  const length = dims.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length }, (_, at) => Math.sin(at + 1) / 8);
  return { name, dataType: FLOAT, dims, rawData: new Uint8Array(values.buffer) };
}

function tensor(name, sizes) {
  const dim = sizes.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
}
