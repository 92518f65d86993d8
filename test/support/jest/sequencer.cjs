/** Starts the longest test files first, so that no worker is still busy with one when the others have finished. */
const fs = require('node:fs');
const path = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

/** Paths below `test/`, longest first, also those of `npm run check:all`. Jest itself knows durations only from earlier runs, which a fresh clone lacks. */
const LONGEST = [
  'end-to-end/corpus.test.ts',
  'client/python.test.ts',
  'faults/faults.test.ts',
  'integ/compare.test.ts',
  'end-to-end/consolidation.test.ts',
  'end-to-end/pipeline.test.ts',
  'end-to-end/deployment.test.ts',
  'end-to-end/permissions.test.ts',
  'lib/plan/search/label-setting.test.ts',
  'fuzz/fuzz.test.ts',
  'lib/plan/printed-plans.test.ts',
  'end-to-end/state-tensors.test.ts',
  'examples/ocr/demo.test.ts',
  'examples/ocr/pages.test.ts',
  'examples/embeddings.test.ts',
  'examples/ocr/cloud.test.ts',
  'integ/role.test.ts',
  'bin/commands/run.test.ts',
  'bin/commands/local.test.ts',
  'lib/plan/best-cut.test.ts',
  'bin/commands/invoke.test.ts',
  'bin/commands/verify.test.ts',
  'client/sliced-inference-client.test.ts',
  'bin/plan/report/assemble-report.test.ts',
  'lib/aws/workflow/workflow.test.ts',
].map((file) => path.join(__dirname, '../..', file));

for (const file of LONGEST)
  if (!fs.existsSync(file)) throw new Error(`${__filename} lists ${file}, which does not exist`);

function rank(test) {
  const place = LONGEST.indexOf(test.path);
  return place === -1 ? LONGEST.length : place;
}

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
};
