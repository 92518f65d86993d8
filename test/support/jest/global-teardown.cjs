/** Removes the folders that `global-setup.cjs` created. */
const fs = require('node:fs');

module.exports = () => {
  for (const folder of [process.env.SLICED_INFERENCE_CACHE, process.env.SLICED_INFERENCE_TEST_ZIPS])
    fs.rmSync(folder, { recursive: true, force: true });
};
