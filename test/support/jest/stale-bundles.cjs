/** Finds sources that have changed after the programs in `dist/` were built: a test that runs the programs would test the old code. */
const fs = require('node:fs');
const path = require('node:path');

/** Folders of tests that run the built programs. */
const RUNNING = /[/\\]test[/\\](end-to-end|bin|examples|faults|deploy|batch-states)[/\\]/;

/** @returns the first source of a bundle that is newer than the bundles, or what is missing; `undefined` if they are new enough */
function staleSource(root) {
  const list = path.join(root, 'dist/bundle.json');
  if (!fs.existsSync(list)) return 'dist/bundle.json';
  const builtAt = fs.statSync(list).mtimeMs;
  const sources = new Set(Object.values(JSON.parse(fs.readFileSync(list, 'utf8'))).flat());
  return [...sources].find((source) => {
    if (source.startsWith('node_modules/')) return false;
    const changedAt = fs.statSync(path.join(root, source), { throwIfNoEntry: false })?.mtimeMs;
    return changedAt === undefined || changedAt > builtAt;
  });
}

/** @throws Error if the test file runs bundles that are older than their sources */
function refuseStaleBundles(root, testFile) {
  if (!RUNNING.test(testFile)) return;
  const stale = staleSource(root);
  if (stale !== undefined)
    throw new Error(
      `this test must run the programs of today's sources, got an older build than ${stale}: run \`npm run build\``,
    );
}

module.exports = { refuseStaleBundles };
