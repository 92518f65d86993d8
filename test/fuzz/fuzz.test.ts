/** The fuzzer finds faults in broken targets, says how to reproduce them, and finds none in the library. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { builtFile } from '../../lib/host/packages';
import { temporaryFolder } from '../support/model-builder';
import { modelCase } from './models/model-cases';
import { Random } from './random';

const script = builtFile('test/fuzz/main.js');

function fuzz(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
}

/** Writes a module that replaces the compiler. */
function target(body: string): string {
  const file = path.join(temporaryFolder(), 'target.cjs');
  fs.writeFileSync(file, `exports.runCase = (modelPath, slices) => { ${body} };`);
  return file;
}

const ACCEPT = `return { outcome: 'accepted', message: '' };`;

test.each([
  ['models', 200, 'the compiler, with a plan', 'refused by ONNX Runtime'],
  ['plans', 150, 'the construct, with a template without new rights', 'refused'],
  ['events', 800, 'the slices, with the right answer', 'refused'],
])('each run of %s of %d ends in %s, or with one clear error', (name, runs, _, refusal) => {
  const { status, stdout } = fuzz('--target', name, '--runs', String(runs), '--seed', '1');
  expect(stdout).toContain(` 0 failed\n`);
  expect(stdout).toMatch(new RegExp(`^${runs} runs with seed 1 in \\d+ s`, 'm'));
  for (const outcome of ['accepted', refusal])
    expect(stdout).toMatch(new RegExp(`^  ${outcome} +[1-9]`, 'm'));
  expect(status).toBe(0);
});

test.each([
  ['throws', `throw new TypeError('broken');`, 'TypeError: broken'],
  ['loops', 'for (;;);', 'no end within 1 s'],
  ['leaves a rejection unhandled', `void Promise.reject(new Error('late')); ${ACCEPT}`, 'late'],
  ['crashes', `process.kill(process.pid, 'SIGSEGV'); for (;;);`, 'ended its process with SIGSEGV'],
  [
    'needs much memory for a moment',
    `{ let all = Buffer.alloc(400 << 20, 1); all = undefined; } ${ACCEPT}`,
    /took [3-9]\d\d MB of memory/,
  ],
])('a target that %s fails both runs', (_, body, expected) => {
  const { status, stdout } = fuzz('--runs', '2', '--seed', '7', '--target', target(body));
  expect(stdout).toMatch(expected);
  for (const run of [0, 1]) expect(stdout).toContain(`npm run fuzz -- --seed 7 --run ${run}\n`);
  expect(stdout).toMatch(/2 runs with seed 7 in \d+ s: 2 failed/);
  expect(status).toBe(1);
});

test('a case depends only on its seed and run, and is kept on request with the files beside the model', () => {
  const folder = temporaryFolder();
  const { stdout } = fuzz('--seed', '5', '--run', '3', '--keep', folder, '--target', target(ACCEPT));
  const { title, content } = modelCase(new Random('5:3'));
  expect(modelCase(new Random('5:4')).title).not.toBe(title);
  expect(stdout).toContain(`run 3 (${title}): accepted`);
  expect(fs.readFileSync(path.join(folder, 'run-3', 'model.onnx')).equals(Buffer.from(content))).toBe(true);
  expect(fs.existsSync(path.join(folder, 'run-3', 'w.bin'))).toBe(true);
});
