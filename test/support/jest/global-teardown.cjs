/** Removes the folder that `global-setup.cjs` created. */
const fs = require('node:fs');

module.exports = () =>
  fs.rmSync(process.env.SLICED_INFERENCE_TEST_ROOT, { recursive: true, force: true, maxRetries: 3 });
