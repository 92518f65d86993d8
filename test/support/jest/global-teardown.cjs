/** Removes the folders that `global-setup.cjs` created. */
const fs = require('node:fs');

module.exports = () => {
  const { SLICED_INFERENCE_CACHE, SLICED_INFERENCE_TEST_ZIPS, SLICED_INFERENCE_TEST_SHARED } = process.env;
  for (const folder of [SLICED_INFERENCE_CACHE, SLICED_INFERENCE_TEST_ZIPS, SLICED_INFERENCE_TEST_SHARED])
    fs.rmSync(folder, { recursive: true, force: true });
};
