/**
 * The environment of a test file that also records which code of the product it runs, into `MUTATION_COVERAGE`: the ranges of each file's
 * compiled text that did not run, and once for each file that text, which ends with its source map.
 */
const fs = require('node:fs');
const inspector = require('node:inspector');
const path = require('node:path');
const Environment = require('../support/jest/environment.cjs');

const ROOT = path.join(__dirname, '../..');
const PRODUCT = /^(lib|lambda|client|local|bin|contract)\//;
const { MUTATION_COVERAGE } = process.env;

module.exports = class extends Environment {
  constructor(config, context) {
    super(config, context);
    this.test = path.relative(ROOT, context.testPath);
  }

  async setup() {
    await super.setup();
    this.session = new inspector.Session();
    this.session.connect();
    this.post('Profiler.enable');
    this.post('Debugger.enable');
    this.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  async teardown() {
    const { result } = this.post('Profiler.takePreciseCoverage');
    const ran = {};
    for (const { url, scriptId, functions } of result) {
      const file = path.relative(ROOT, url.replace(/^file:\/\//, ''));
      if (!PRODUCT.test(file)) continue;
      const { scriptSource } = this.post('Debugger.getScriptSource', { scriptId });
      const source = path.join(MUTATION_COVERAGE, 'sources', file.replaceAll('/', '+'));
      if (!fs.existsSync(source)) fs.writeFileSync(source, scriptSource);
      // Earlier test files of this process may have loaded the same file.
      ran[file] ??= new Uint8Array(scriptSource.length);
      add(functions, ran[file]);
    }
    fs.writeFileSync(
      path.join(MUTATION_COVERAGE, `${this.test.replaceAll('/', '+')}.json`),
      JSON.stringify(Object.fromEntries(Object.entries(ran).map(([file, each]) => [file, skipped(each)]))),
    );
    this.session.disconnect();
    await super.teardown();
  }

  post(method, parameters) {
    let answer;
    // A session with its own thread answers before `post` returns.
    this.session.post(method, parameters, (error, result) => {
      if (error) throw new Error(`${method}: ${error.message}`);
      answer = result;
    });
    return answer;
  }
};

function add(functions, ran) {
  const now = new Uint8Array(ran.length);
  // Inner functions follow outer ones, as inner blocks do.
  for (const { startOffset, endOffset, count } of functions.flatMap(({ ranges }) => ranges))
    now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  for (const [at, each] of now.entries()) ran[at] |= each;
}

/** @returns the starts and ends of the parts that did not run, one after another */
function skipped(ran) {
  const ends = [];
  for (let at = 0, last = 1; at <= ran.length; at++) {
    const now = at === ran.length ? 1 : ran[at];
    if (now !== last) ends.push(at);
    last = now;
  }
  return ends;
}
