// All tests of a run share one cache, which begins empty: neither the user's nor that of an earlier run.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

module.exports = () => {
  process.env.SLICED_INFERENCE_CACHE = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-tests-'));
};
