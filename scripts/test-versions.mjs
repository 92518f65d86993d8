// Runs the tests that depend on Node.js or on CDK with other releases of both: with the oldest and the newest, and with those
// between them if called with `--all`. `npm test` runs all tests with the Node.js of this machine and the newest CDK. Run
// `npm run build` first: tests that start child processes use `dist/`.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { IS_WINDOWS, NPM } from './package/project.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const packages = path.join(root, 'test/other-versions/node_modules');

/** What runs on the machines of users: child processes, whole runs in the local cloud, and the client. */
const PROGRAMS = [
  'test/client',
  'test/local/lambda',
  'test/lib/host',
  'test/lib/shapes/infer',
  'test/bin/process',
  'test/end-to-end/pipeline',
];

/** Lambda has the newest releases of Node.js only, so the slice function need not run on the oldest one. */
const PLATFORM = [...PROGRAMS, 'test/lambda'];

/** What the construct synthesizes, and the snapshots. */
const CONSTRUCT = ['test/lib/aws', 'test/lib/pipeline', 'test/lib/monitoring'];

/**
 * cdk-nag needs the newest CDK, `determinism` synthesizes in child processes, which use the newest CDK, and the two others test the
 * library's arithmetic on templates that other tests synthesize with each CDK too.
 */
const NEWEST_CDK_ONLY = [
  'test/lib/pipeline/nag',
  'test/lib/pipeline/determinism',
  'test/lib/aws/quota-check',
  'test/lib/aws/template-size',
];

/** Jest's default, which its option replaces. */
const IGNORED = '/node_modules/';

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

function install() {
  const npm = spawnSync(NPM, ['ci', '--prefix', 'test/other-versions'], {
    cwd: root,
    shell: IS_WINDOWS,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (npm.status !== 0) throw new Error(`npm must install test/other-versions, got exit code ${npm.status}`);
}

function versionOf(folder) {
  const { version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  // Some packages of Node.js have a version such as v20.15.0.
  return version.replace(/^v/, '');
}

/** Returns `undefined` if there is no package for this platform. npm succeeds without an optional package, so check. */
function findNode(major) {
  const name = `node-${major}-${process.platform}-${process.arch}`;
  const { optionalDependencies } = JSON.parse(
    fs.readFileSync(path.join(root, 'test/other-versions/package.json'), 'utf8'),
  );
  if (optionalDependencies[name] === undefined) return undefined;
  const folder = path.join(packages, name);
  return { program: path.join(folder, 'bin/node'), version: versionOf(folder) };
}

function findCdk(release) {
  return release === 'newest'
    ? { version: versionOf(path.join(root, 'node_modules/aws-cdk-lib')), environment: { TEST_CDK: '' } }
    : {
        version: versionOf(path.join(packages, `aws-cdk-lib-${release}`)),
        environment: { TEST_CDK: release },
      };
}

/** Runs Jest, and returns its counts of tests and its output. */
async function runTests({ program }, { environment }, tests, results) {
  const jest = spawn(
    program,
    [
      path.join(root, 'node_modules/jest/bin/jest.js'),
      '--ci',
      '--silent',
      `--maxWorkers=${100 / AT_A_TIME}%`,
      '--json',
      `--outputFile=${results}`,
      ...(environment.TEST_CDK === ''
        ? []
        : [`--testPathIgnorePatterns=${[IGNORED, ...NEWEST_CDK_ONLY].join('|')}`]),
      '--testPathPatterns',
      ...tests,
    ],
    {
      cwd: root,
      env: { ...process.env, ...environment },
      // Standard output has the results a second time.
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const [output, [status]] = await Promise.all([text(jest.stderr), once(jest, 'exit')]);
  if (!fs.existsSync(results)) return { failed: true, counts: 'Jest did not run', output };
  const {
    numPassedTests: passed,
    numFailedTests: failed,
    success,
  } = JSON.parse(fs.readFileSync(results, 'utf8'));
  // A suite that does not load has no failed test of its own. A matrix without tests checks nothing.
  return {
    failed: status !== 0 || !success || passed === 0,
    counts: `${passed} passed, ${failed} failed`,
    output,
  };
}

/** Prints one line, and the output of Jest if a test failed. Returns 'passed', 'failed' or 'skipped'. */
async function check({ node: major, cdk: release, tests }, results) {
  const node = findNode(major);
  const cdk = findCdk(release);
  const name = `Node.js ${node?.version ?? major}, CDK ${cdk.version}`.padEnd(32);
  if (node === undefined && release === 'newest') {
    console.log(`${name} skipped: npm has no Node.js ${major} for ${process.platform} ${process.arch}`);
    return 'skipped';
  }
  const start = performance.now();
  const own = { program: process.execPath, version: process.versions.node };
  const { failed, counts, output } = await runTests(node ?? own, cdk, tests, results);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  const instead = node === undefined ? `, on this machine's Node.js ${own.version}` : '';
  console.log(`${name} ${counts}${instead}, ${seconds} s`);
  if (failed) console.error(output);
  return failed ? 'failed' : 'passed';
}

/** Checks the combinations, `AT_A_TIME` of them at the same time. */
async function checkAll(combinations, folder) {
  const results = [];
  const rest = combinations.entries();
  const worker = async () => {
    for (const [index, combination] of rest)
      results.push(await check(combination, path.join(folder, `results-${index}.json`)));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return results;
}

/** Refuses arguments that it does not know. */
function parseFlags(args) {
  const unknown = args.find((each) => each !== '--all');
  if (unknown !== undefined) throw new Error(`the only flag must be --all, got ${unknown}`);
  return { all: args.includes('--all') };
}

const { all } = parseFlags(process.argv.slice(2));
install();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-versions-'));
const start = performance.now();
try {
  const results = await checkAll(
    MATRIX.filter(({ isBetween }) => all || !isBetween),
    folder,
  );
  const count = (result) => results.filter((other) => other === result).length;
  const minutes = ((performance.now() - start) / 60_000).toFixed(1);
  const counts = ['passed', 'failed', 'skipped'].map((result) => `${count(result)} ${result}`).join(', ');
  console.log(`combinations: ${counts}, ${minutes} minutes`);
  if (count('failed') > 0) process.exitCode = 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
