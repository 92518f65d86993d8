// Jest runs tests in a context with typed arrays of its own, but ONNX Runtime's native library makes those of the
// main context and its JavaScript side checks with instanceof. Tests that run models share the main context's.
const { TestEnvironment } = require('jest-environment-node');

const SHARED = [
  'Float32Array',
  'Float64Array',
  'Int8Array',
  'Int16Array',
  'Int32Array',
  'BigInt64Array',
  'Uint16Array',
  'Uint32Array',
  'BigUint64Array',
];

module.exports = class OnnxRuntimeEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of SHARED) this.global[name] = globalThis[name];
  }
};
