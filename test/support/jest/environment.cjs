/** The environment of every test file: Node.js's, with the adjustments below. It refuses tests of programs that are older than their sources. */
const fs = require('node:fs');
const path = require('node:path');
const { TestEnvironment } = require('jest-environment-node');
const { refuseStaleBundles } = require('./stale-bundles.cjs');

/**
 * ONNX Runtime's native library creates typed arrays of the main context, and its JavaScript side checks them with
 * `instanceof`. Jest gives each test file a context with typed arrays of its own, so share the main context's.
 */
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

/** CDK writes a line for each asset that it bundles to standard error, and has no switch for it. */
function isBundlingNotice(chunk) {
  return typeof chunk === 'string' && chunk.startsWith('Bundling asset ');
}

const { stderr } = process;
const write = stderr.write.bind(stderr);

function writeWithoutNotices(chunk, ...rest) {
  return isBundlingNotice(chunk) || write(chunk, ...rest);
}

let inference;

/** The process that answers questions to ONNX Runtime, for all test files of this worker. `undefined` before `npm test` has built it. */
function sharedInference() {
  const built = path.join(__dirname, '../../../dist/test/support/inference/persistent-inference.js');
  if (inference === undefined && fs.existsSync(built)) {
    const { PersistentInference } = require(built);
    inference = new PersistentInference();
  }
  return inference;
}

module.exports = class Environment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    refuseStaleBundles(config.projectConfig.rootDir, context.testPath);
  }

  async setup() {
    await super.setup();
    for (const name of SHARED) this.global[name] = globalThis[name];
    stderr.write = writeWithoutNotices;
    this.global.sharedInference = sharedInference;
  }
};
