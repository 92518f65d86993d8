// Runs the checks that rarely break: `npm run check:all`. With `--changed` it runs those whose files differ from the parent commit or, for a
// release, from the release before; without history, all. CHANGED_SINCE names another commit. `--json <folder>` writes the results of the tests.
import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

const JEST = 'node_modules/jest/bin/jest.js --filter=./test/support/jest/filter.cjs';

/** What needs the packages of other languages. */
const PACKED = ['examples', 'python', 'languages'];

const GUIDES = 'test/package/guides.mjs';
const LANGUAGES = 'test/package/languages.mjs --languages';
const API = 'lib/index.ts lib/pipeline lib/monitoring scripts/package';
const INSTALLED = 'package.json package-lock.json';
const COMMANDS = 'bin/commands client/index.ts local/index.ts';

/** What a run in the local cloud consists of. */
const RUNS = 'client contract lambda lib/aws lib/emit lib/monitoring lib/pipeline local test/support';

/** By name: the command, and the files and folders whose changes need it. */
const CHECKS = {
  docs: [`${GUIDES} docs`, ':(glob)docs/*.md bin/commands test/package'],
  examples: [`${GUIDES} examples`, `examples ${COMMANDS} lib/pipeline scripts/package`],
  python: [`${LANGUAGES} python`, `${API} client/python examples/python docs/python.md`],
  languages: [`${LANGUAGES} go`, `${API} examples/go docs/other-languages.md`],
  versions: [
    'test/check-versions.mjs',
    `${INSTALLED} client/aws lambda lib/aws lib/pipeline lib/host local/lambda test/other-versions test/check-versions.mjs scripts/package`,
  ],
  arm64: [
    'test/check-arm64.mjs',
    `${INSTALLED} lambda lib/aws/runtime-code.ts test/arm64 test/check-arm64.mjs bench/processors/emulated-node.mjs`,
  ],
};

/** Groups of `test/support/jest/long-checks.cjs`, and the files and folders whose changes need them. */
const TESTS = {
  'batch-states': 'client contract lambda lib/aws lib/batch lib/pipeline test/batch-states',
  compiler: `${INSTALLED} bench/split docs lib test/end-to-end/split-kernels.test.ts test/lib test/oracle test/support`,
  deploy: 'client lambda lib/aws lib/batch lib/pipeline test/deploy',
  deployments: `${INSTALLED} ${RUNS} test/end-to-end test/faults test/lib/aws test/lib/pipeline`,
  examples: `${INSTALLED} ${RUNS} examples test/examples`,
  fuzz: `${INSTALLED} bin/tensor-files client contract lambda lib local/s3 test/fuzz test/support`,
  scripts: `${INSTALLED} scripts test/scripts`,
};

/** Two series use two processors: most checks wait for one process. */
const AT_A_TIME = 2;

const { values } = parseArgs({
  options: { changed: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const base = values.changed ? baseCommit() : undefined;
const chosen = Object.keys(CHECKS).filter((name) => base === undefined || differs(base, CHECKS[name][1]));
const results = new Map();
if (PACKED.some((name) => chosen.includes(name)))
  await run('packages', 'scripts/package/main.mjs --languages python,go');
const waiting = [...chosen];
const series = async () => {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
    await run(name, CHECKS[name][0]);
};
await Promise.all(Array.from({ length: AT_A_TIME }, series));
for (const group of Object.keys(TESTS).filter((name) => base === undefined || differs(base, TESTS[name]))) {
  const output = values.json === undefined ? '' : ` --json --outputFile='${values.json}/${group}.json'`;
  await run(`tests of ${group}`, `${JEST}${output}`, { FULL_CHECKS: group });
}
for (const name of [...Object.keys(CHECKS), ...Object.keys(TESTS).map((group) => `tests of ${group}`)])
  console.log(`${name.padEnd(20)} ${results.get(name) ?? 'nothing has changed'}`);
if ([...results.values()].some((result) => result.startsWith('FAILED'))) process.exitCode = 1;

/** Prints the output of a check when it has ended. */
async function run(name, command, variables = {}) {
  const start = performance.now();
  const child = spawn('sh', ['-c', `"${process.execPath}" --no-warnings ${command} 2>&1`], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const output = await text(child.stdout);
  const seconds = `${((performance.now() - start) / 1000).toFixed(0)} s`;
  results.set(name, (await ended) === 0 ? seconds : `FAILED after ${seconds}`);
  console.log(`\n${name}: ${results.get(name)}\n${output}`);
}

function baseCommit() {
  if (process.env.CHANGED_SINCE) return process.env.CHANGED_SINCE;
  const git = (...args) => spawnSync('git', args, { encoding: 'utf8' }).stdout?.trim() || undefined;
  const release = git('tag', '--points-at', 'HEAD') && git('describe', '--tags', '--abbrev=0', 'HEAD^');
  return release ?? git('rev-parse', '--verify', '--quiet', 'HEAD^');
}

function differs(commit, files) {
  return spawnSync('git', ['diff', '--quiet', commit, 'HEAD', '--', ...files.split(' ')]).status !== 0;
}
