// Runs the tests that depend on Node.js or on CDK with other releases of both: with the oldest and the newest, and with those
// between them if called with `--all`. `npm test` runs all tests with the Node.js of this machine and the newest CDK. Run
// `npm run build` first: tests that start child processes use `dist/`.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { IS_WINDOWS, NPM, ROOT } from './package/project.mjs';

const OTHERS = path.join(ROOT, 'test/other-versions');

/** What runs on the machines of users: child processes, whole runs in the local cloud, and the client. */
const PROGRAMS = [...['test/client', 'test/local/lambda', 'test/lib/host', 'test/end-to-end/pipeline']];

/** Lambda has the newest releases of Node.js only, so the slice function need not run on the oldest one. */
const PLATFORM = [...PROGRAMS, 'test/lambda'];

const CONSTRUCT = ['test/lib/aws', 'test/lib/pipeline', 'test/lib/monitoring'];

/**
 * cdk-nag needs the newest CDK, `determinism` synthesizes in child processes, which use the newest CDK, and the two others test the
 * library's arithmetic on templates that other tests synthesize with each CDK too.
 */
const NEWEST_CDK_ONLY = [
  ...['test/lib/pipeline/nag', 'test/lib/pipeline/determinism'],
  ...['test/lib/aws/quota-check', 'test/lib/aws/template-size'],
];

/** Each Node.js and each CDK of `test/other-versions` occurs here. The longest combination is first. */
const MATRIX = [
  { node: 26, cdk: 'newest', tests: PLATFORM },
  { node: 20, cdk: 'newest', tests: PROGRAMS },
  { node: 26, cdk: 'oldest', tests: CONSTRUCT },
  { node: 22, cdk: 'newest', tests: PLATFORM, isBetween: true },
  { node: 24, cdk: 'newest', tests: PLATFORM, isBetween: true },
  { node: 24, cdk: 'middle', tests: CONSTRUCT, isBetween: true },
];

/** Two combinations take turns on a machine with few cores: each waits for its child processes most of the time. */
const AT_A_TIME = 2;

const { all } = parseArgs({ options: { all: { type: 'boolean', default: false } } }).values;
install();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-versions-'));
try {
  const waiting = MATRIX.filter(({ isBetween }) => all || !isBetween);
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await check(next);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

function install() {
  const npm = spawnSync(NPM, ['ci', '--prefix', 'test/other-versions'], {
    cwd: ROOT,
    shell: IS_WINDOWS,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (npm.status !== 0) throw new Error(`npm must install test/other-versions, got exit code ${npm.status}`);
}

/** Runs Jest, and prints one line, and the output of Jest if a test failed. */
async function check({ node: major, cdk, tests }) {
  // npm succeeds without an optional package, so there may be none for this platform.
  const name = `node-${major}-${process.platform}-${process.arch}`;
  const isKnown = name in manifestIn(OTHERS).optionalDependencies;
  const node = isKnown ? path.join(OTHERS, 'node_modules', name) : undefined;
  const versions = `Node.js ${node ? versionIn(node) : process.versions.node}, CDK ${cdkVersion(cdk)}`;
  if (node === undefined && cdk === 'newest') {
    console.log(`skipped: npm has no Node.js ${major} for ${process.platform} ${process.arch}`);
    return;
  }
  const start = performance.now();
  const results = path.join(folder, `${major}-${cdk}.json`);
  const program = node ? path.join(node, 'bin/node') : process.execPath;
  const { status, output } = await runJest(program, cdk, tests, results);
  const { numPassedTests = 0, numFailedTests = 0 } = fs.existsSync(results)
    ? JSON.parse(fs.readFileSync(results, 'utf8'))
    : {};
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${versions.padEnd(32)} ${numPassedTests} passed, ${numFailedTests} failed, ${seconds} s`);
  // A matrix without tests checks nothing.
  if (status === 0 && numPassedTests > 0) return;
  console.error(output);
  process.exitCode = 1;
}

async function runJest(program, cdk, tests, results) {
  const options = [
    '--ci',
    '--silent',
    `--maxWorkers=${100 / AT_A_TIME}%`,
    '--json',
    `--outputFile=${results}`,
  ];
  // The option replaces Jest's default.
  if (cdk !== 'newest')
    options.push(`--testPathIgnorePatterns=${['/node_modules/', ...NEWEST_CDK_ONLY].join('|')}`);
  const jest = spawn(
    program,
    [path.join(ROOT, 'node_modules/jest/bin/jest.js'), ...options, '--testPathPatterns', ...tests],
    {
      cwd: ROOT,
      env: { ...process.env, TEST_CDK: cdk === 'newest' ? '' : cdk },
      // Standard output has the results a second time.
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const [output, [status]] = await Promise.all([text(jest.stderr), once(jest, 'exit')]);
  return { output, status };
}

function manifestIn(of) {
  return JSON.parse(fs.readFileSync(path.join(of, 'package.json'), 'utf8'));
}

/** Some packages of Node.js have a version such as v20.15.0. */
function versionIn(of) {
  return manifestIn(of).version.replace(/^v/, '');
}

function cdkVersion(release) {
  if (release === 'newest') return versionIn(path.join(ROOT, 'node_modules/aws-cdk-lib'));
  return versionIn(path.join(OTHERS, `node_modules/aws-cdk-lib-${release}`));
}
