/** Prepares the environment that all test files inherit. */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

module.exports = () => {
  // The tests share a cache that starts empty. They touch neither the user's cache nor that of an earlier run.
  process.env.SLICED_INFERENCE_CACHE = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-tests-'));
  // Packing a slice function's code takes a second, and most pipelines have the same code.
  process.env.SLICED_INFERENCE_TEST_ZIPS = fs.mkdtempSync(
    path.join(os.tmpdir(), 'sliced-inference-test-zips-'),
  );
  // What the test files of a worker share: see `sharedFolder`.
  process.env.SLICED_INFERENCE_TEST_SHARED = fs.mkdtempSync(
    path.join(os.tmpdir(), 'sliced-inference-test-shared-'),
  );
  // CDK's built-in validation takes nine tenths of a synthesis. The tests of whole templates switch it on.
  process.env.CDK_VALIDATION = 'false';
  // The package bundles its AWS SDK, so the SDK's advice to change Node.js is not for users.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
};
