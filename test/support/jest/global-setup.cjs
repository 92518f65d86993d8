/** Prepares the environment that all test files inherit. */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

module.exports = () => {
  // All that the tests write, and what CDK leaves behind, is in one folder, which goes at the end.
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-tests-'));
  process.env.SLICED_INFERENCE_TEST_ROOT = root;
  process.env.TMPDIR = folder('tmp');
  // The tests share a cache that starts empty. They touch neither the user's cache nor that of an earlier run.
  process.env.SLICED_INFERENCE_CACHE = folder('cache');
  // Packing a slice function's code takes a second, and most pipelines have the same code.
  process.env.SLICED_INFERENCE_TEST_ZIPS = folder('zips');
  // What the test files of a worker share: see `sharedFolder`.
  process.env.SLICED_INFERENCE_TEST_SHARED = folder('shared');
  // CDK's built-in validation takes nine tenths of a synthesis. The tests of whole templates switch it on.
  process.env.CDK_VALIDATION = 'false';
  // The package bundles its AWS SDK, so the SDK's advice to change Node.js is not for users.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

  function folder(name) {
    const created = path.join(root, name);
    fs.mkdirSync(created);
    return created;
  }
};
