// Runs the checks that rarely break: `npm run check:all`. With `--changed` it runs those whose files differ from the parent commit or, for a
// release, from the release before; without history, all. CHANGED_SINCE names another commit. `--json <file>` writes the results of the tests.
import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

const JEST = 'node_modules/jest/bin/jest.js --filter=./test/support/jest/filter.cjs --json --outputFile=';

const PUBLIC_API = ['lib/index.ts', 'lib/pipeline', 'lib/monitoring', 'scripts/package'];
const INSTALLED = ['package.json', 'package-lock.json'];

/** What needs the packages of other languages. */
const PACKED = ['examples', 'python', 'languages'];

const CHECKS = {
  validate: [
    'dist/scripts/validate/main.js',
    ['lib/aws', 'lib/pipeline', 'lib/monitoring', 'scripts/validate'],
  ],
  docs: ['scripts/package/checks/guides.mjs docs', ['docs', 'bin', 'scripts/package/checks']],
  examples: [
    'scripts/package/checks/guides.mjs examples',
    ['examples', 'bin', 'client', 'local', 'lib/pipeline', 'scripts/package'],
  ],
  python: [
    'scripts/package/checks/languages.mjs --languages python',
    [...PUBLIC_API, 'client/python', 'examples/python', 'docs/python.md'],
  ],
  languages: [
    'scripts/package/checks/languages.mjs --languages go',
    [...PUBLIC_API, 'examples/go', 'docs/other-languages.md'],
  ],
  versions: [
    'scripts/test-versions.mjs',
    [
      ...INSTALLED,
      'client',
      'lambda',
      'lib/aws',
      'lib/pipeline',
      'lib/host',
      'local/lambda',
      'test/other-versions',
    ],
  ],
  arm64: [
    'scripts/check-arm64.mjs',
    [...INSTALLED, 'lambda', 'lib/aws/runtime-code.ts', 'test/arm64', 'scripts/check-arm64.mjs'],
  ],
  deploy: [
    'dist/scripts/check-deploy/main.js',
    ['client', 'lambda', 'lib/aws', 'lib/pipeline', 'scripts/check-deploy'],
  ],
  tests: [
    JEST,
    [
      ...INSTALLED,
      'bin',
      'client',
      'contract',
      'examples',
      'lambda',
      'lib',
      'local',
      'scripts',
      'test',
      'tsconfig.json',
    ],
  ],
};

/** Two series use two processors: most checks wait for one process. */
const AT_A_TIME = 2;

const { values } = parseArgs({
  options: { changed: { type: 'boolean', default: false }, json: { type: 'string', default: '/dev/null' } },
});
const base = values.changed ? baseCommit() : undefined;
const chosen = Object.keys(CHECKS).filter((name) => base === undefined || differs(base, CHECKS[name][1]));
const results = new Map();
if (PACKED.some((name) => chosen.includes(name)))
  await run('packages', 'scripts/package/main.mjs --languages python,go');
const waiting = chosen.filter((name) => name !== 'tests');
const series = async () => {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
    await run(name, CHECKS[name][0]);
};
await Promise.all(Array.from({ length: AT_A_TIME }, series));
if (chosen.includes('tests')) await run('tests', `${JEST}${values.json}`, { FULL_CHECKS: '1' });
for (const name of Object.keys(CHECKS))
  console.log(`${name.padEnd(10)} ${results.get(name) ?? 'nothing has changed'}`);
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
  return spawnSync('git', ['diff', '--quiet', commit, 'HEAD', '--', ...files]).status !== 0;
}
