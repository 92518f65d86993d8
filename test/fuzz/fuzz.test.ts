/** The fuzzer finds no faults in the library. */
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

test('a case depends only on its seed and run, and is kept on request with the files beside the model', () => {
  const folder = temporaryFolder();
  const { stdout } = fuzz('--seed', '5', '--run', '3', '--keep', folder, '--target', 'models');
  const { title, content } = modelCase(new Random('5:3'));
  expect(modelCase(new Random('5:4')).title).not.toBe(title);
  expect(stdout).toContain(`run 3 (${title}): `);
  expect(fs.readFileSync(path.join(folder, 'run-3', 'model.onnx')).equals(Buffer.from(content))).toBe(true);
  expect(fs.existsSync(path.join(folder, 'run-3', 'w.bin'))).toBe(true);
});
