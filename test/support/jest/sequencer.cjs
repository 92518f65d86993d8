/** Starts the longest test files first, so that no worker is left alone with one of them at the end. */
const path = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

/** Below `test/`, longest first. Jest knows durations too, but from earlier runs: a fresh clone has none. */
const LONGEST = [
  'end-to-end/corpus.test.ts',
  'end-to-end/pipeline.test.ts',
  'end-to-end/deployment.test.ts',
  'fuzz/fuzz.test.ts',
  'bin/commands/run.test.ts',
  'bin/commands/verify.test.ts',
  'bin/program.test.ts',
  'bin/commands/bad-input.test.ts',
  'examples/ocr-demo.test.ts',
  'bin/commands/slice.test.ts',
].map((file) => path.join(__dirname, '../..', file));

function rank(test) {
  const place = LONGEST.indexOf(test.path);
  return place === -1 ? LONGEST.length : place;
}

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
};
