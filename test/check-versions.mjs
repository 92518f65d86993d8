// Runs the tests that depend on Node.js or on CDK with other releases of both: with the oldest and the newest, and with those
// between them if called with `--all`. `npm test` runs all tests with the Node.js of this machine and the newest CDK. Run
// `npm run build` first: tests that start child processes use `dist/`.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { IS_WINDOWS, NPM, ROOT } from '../scripts/package/project.mjs';

/** What runs on the machines of users: child processes, whole runs in the local cloud, and the client. */
const PROGRAMS = [...['test/client', 'test/local/lambda', 'test/lib/host', 'test/end-to-end/pipeline']];

/** Lambda has the newest releases of Node.js only, so the slice function need not run on the oldest one. */
const PLATFORM = [...PROGRAMS, 'test/lambda'];

const CONSTRUCT = ['test/lib/aws', 'test/lib/pipeline', 'test/lib/monitoring'];

/** cdk-nag needs the newest CDK, and `determinism` synthesizes in child processes, which use the newest CDK. */
const NEWEST_CDK_ONLY = [
  'test/lib/pipeline/nag',
  'test/lib/pipeline/validators',
  'test/lib/pipeline/determinism',
];

/** Each Node.js and each CDK of `test/other-versions` occurs here. */
const MATRIX = [
  { node: 26, cdk: 'newest', tests: PLATFORM },
  { node: 20, cdk: 'newest', tests: PROGRAMS },
  { node: 26, cdk: 'oldest', tests: CONSTRUCT },
  { node: 22, cdk: 'newest', tests: PLATFORM, isBetween: true },
  { node: 24, cdk: 'newest', tests: PLATFORM, isBetween: true },
  { node: 24, cdk: 'middle', tests: CONSTRUCT, isBetween: true },
];

const { all } = parseArgs({ options: { all: { type: 'boolean', default: false } } }).values;
install();
for (const { node, cdk, tests } of MATRIX.filter(({ isBetween }) => all || !isBetween)) {
  const program = programOf(node);
  // npm succeeds without an optional package, so there may be none for this platform.
  if (program === undefined && cdk === 'newest') {
    console.log(`skipped: npm has no Node.js ${node} for ${process.platform} ${process.arch}`);
    continue;
  }
  console.log(`\nNode.js ${program === undefined ? process.versions.node : node}, CDK ${cdk}`);
  // Jest fails if there are no tests.
  if (!passes(program ?? process.execPath, cdk, tests)) process.exitCode = 1;
}

function install() {
  const npm = spawnSync(NPM, ['ci', '--prefix', 'test/other-versions'], {
    cwd: ROOT,
    shell: IS_WINDOWS,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (npm.status !== 0) throw new Error(`npm must install test/other-versions, got exit code ${npm.status}`);
}

function programOf(major) {
  const name = `node-${major}-${process.platform}-${process.arch}`;
  const program = path.join(ROOT, 'test/other-versions/node_modules', name, 'bin/node');
  return fs.existsSync(program) ? program : undefined;
}

function passes(program, cdk, tests) {
  const options = ['--ci', '--silent', '--maxWorkers=100%'];
  // The option replaces Jest's default.
  if (cdk !== 'newest')
    options.push(`--testPathIgnorePatterns=${['/node_modules/', ...NEWEST_CDK_ONLY].join('|')}`);
  const jest = [path.join(ROOT, 'node_modules/jest/bin/jest.js'), ...options, '--testPathPatterns', ...tests];
  const env = { ...process.env, TEST_CDK: cdk === 'newest' ? '' : cdk };
  return spawnSync(program, jest, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
