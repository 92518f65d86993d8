/** Which test files can notice a change of a file: those that run the changed place, and those that run a bundle with it. The nearest come first. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import longChecks from '../support/jest/long-checks.cjs';

const IMPORT = /(?:from|import|require)\s*\(?\s*['"]([^'"]+)['"]/g;
const PACKAGES = new Map([
  ['cdk-sliced-inference', 'lib/index.ts'],
  ['cdk-sliced-inference/client', 'client/index.ts'],
  ['cdk-sliced-inference/local', 'local/index.ts'],
]);

/** Bundles whose code runs in processes of tests that import one of these files. */
const RUNNERS = {
  'dist/bundle/handler.js': ['local/cloud/cloud.ts', 'local/lambda/function-pool.ts'],
  'dist/bundle/batch-handler.js': ['local/cloud/cloud.ts'],
  'dist/bundle/hash-thread.js': ['test/lambda/store/download.test.ts'],
  'dist/bundle/provisioned.mjs': ['test/end-to-end/function.test.ts'],
  'dist/bundle/worker.js': ['local/lambda/worker.ts'],
  'dist/bundle/program.js': ['test/support/run-cli.ts'],
  'dist/bundle/sliced-inference.js': ['test/support/run-cli.ts'],
  'dist/bundle/verify-job.js': ['test/support/run-cli.ts'],
  'dist/bundle/sizes-job.js': ['lib/shapes/data-sizes.ts'],
  'dist/bundle/client.mjs': ['test/support/run-cli.ts'],
};

export class Selection {
  /** By test file: the files that it imports, with their distances. */
  reached = new Map();

  constructor(root, coverage) {
    this.root = root;
    this.coverage = coverage;
    this.bundles = JSON.parse(fs.readFileSync(path.join(root, 'dist/bundle.json'), 'utf8'));
    const tests = fs
      .readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => `test/${name.split(path.sep).join('/')}`)
      // `npm test` runs the others.
      .filter((name) => !longChecks.isLeftOut(`/${name}`));
    const imports = new Map();
    for (const test of tests.sort()) this.reached.set(test, this.distances(test, imports));
  }

  distances(test, imports) {
    const distances = new Map([[test, 0]]);
    const queue = [test];
    for (const file of queue) {
      if (!imports.has(file)) imports.set(file, this.importsOf(file));
      for (const next of imports.get(file)) {
        if (distances.has(next)) continue;
        distances.set(next, distances.get(file) + 1);
        queue.push(next);
      }
    }
    return distances;
  }

  importsOf(file) {
    const text = fs.readFileSync(path.join(this.root, file), 'utf8');
    return [...text.matchAll(IMPORT)].flatMap(([, name]) => {
      if (PACKAGES.has(name)) return [PACKAGES.get(name)];
      if (!name.startsWith('.')) return [];
      const base = path.posix.join(path.posix.dirname(file), name.replace(/\.js$/, ''));
      const found = ['', '.ts', '.mts', '.cjs', '/index.ts']
        .map((end) => base + end)
        .find((each) => this.isFile(each));
      return found === undefined ? [] : [found];
    });
  }

  isFile(file) {
    const whole = path.join(this.root, file);
    return fs.existsSync(whole) && fs.statSync(whole).isFile();
  }

  /** @returns {string[]} */
  testsOf(file, offset) {
    const running = this.coverage.testsOf(file, offset);
    const runners = Object.entries(this.bundles)
      .filter(([, files]) => files.includes(file))
      .flatMap(([bundle]) => RUNNERS[bundle] ?? []);
    const ranked = [...this.reached].flatMap(([test, distances]) => {
      const direct = running === undefined || running.includes(test) ? distances.get(file) : undefined;
      const byBundle = runners
        .filter((runner) => distances.has(runner))
        .map((each) => distances.get(each) + 2);
      const near = Math.min(direct ?? Infinity, ...byBundle);
      return near === Infinity ? [] : [{ test, rank: near - 2 * shared(test, file) }];
    });
    return ranked.sort((a, b) => a.rank - b.rank || (a.test < b.test ? -1 : 1)).map(({ test }) => test);
  }
}

/** How many folders and words of names a test and a file share: `test/lib/cost/chain.test.ts` and `lib/cost/chain.ts` share three. */
function shared(test, file) {
  const words = (text) => new Set(text.split(/[/.-]/));
  const [ofTest, ofFile] = [words(test.slice('test/'.length)), words(file)];
  return [...ofFile].filter((word) => word !== 'ts' && ofTest.has(word)).length;
}
