/** The fuzzer finds no faults in the library. */
import { spawnSync } from 'node:child_process';
import { builtFile } from '../../lib/host/packages';

test.each([
  ['models', 200, 'the compiler, with a plan', 'refused by ONNX Runtime'],
  ['plans', 150, 'the construct, with a template without new rights', 'refused'],
  ['events', 800, 'the slices, with the right answer', 'refused'],
])('each run of %s of %d ends in %s, or with one clear error', (name, runs, _, refusal) => {
  const args = [builtFile('test/fuzz/main.js'), '--target', name, '--runs', String(runs), '--seed', '1'];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stdout).toContain(` 0 failed\n`);
  expect(stdout).toMatch(new RegExp(`^${runs} runs with seed 1 in \\d+ s`, 'm'));
  for (const outcome of ['accepted', refusal])
    expect(stdout).toMatch(new RegExp(`^  ${outcome} +[1-9]`, 'm'));
  expect(status).toBe(0);
});
