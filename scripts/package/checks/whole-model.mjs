// Runs the whole model of an app with the settings that slice functions use.
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { MANIFEST } from '../project.mjs';

/**
 * Runs `model.onnx` of the app's folder in the ONNX Runtime of the installed package.
 *
 * @param {string} folder folder of an app in TypeScript, with the package
 * @param {Float32Array} elements elements of the model's only input
 * @param {number[]} shape shape of the input
 * @param {string} model path of the model
 * @returns {Promise<Record<string, Buffer>>} the bytes of each output
 */
export async function runWholeModel(folder, elements, shape, model = path.join(folder, 'model.onnx')) {
  const require = createRequire(path.join(folder, 'node_modules', MANIFEST.name, 'package.json'));
  const { InferenceSession, Tensor } = require('onnxruntime-node');
  const session = await InferenceSession.create(model, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    extra: { session: { disable_prepacking: '1' } },
  });
  const [input] = session.inputNames;
  const results = await session.run({ [input]: new Tensor('float32', elements, shape) });
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [
      name,
      Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    ]),
  );
}
