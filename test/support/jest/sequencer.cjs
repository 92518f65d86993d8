/** Starts the longest test files first, so that no worker is still busy with one when the others have finished. */
const { default: Sequencer } = require('@jest/test-sequencer');

/** Longest first. Jest itself knows durations only from earlier runs, which a fresh clone lacks. */
const LONGEST = [
  /\/end-to-end\/(corpus|consolidation|pipeline|deployment|permissions|state-tensors)\./,
  /\/(client\/python|pipeline\/validators|faults\/faults|fuzz\/fuzz|plan\/printed-plans)\./,
  /\/(end-to-end|examples|bin\/commands)\//,
  /\/(best-cut|sliced-inference-client|assemble-report|workflow)\.test/,
];

function rank({ path }) {
  const place = LONGEST.findIndex((pattern) => pattern.test(path));
  return place === -1 ? LONGEST.length : place;
}

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
};
