/** The fuzzer finds faults in broken targets, says how to reproduce them, and finds none in the library. */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { builtFile } from '../../lib/host/packages';
import { temporaryFolder } from '../support/model-builder';
import { modelCase } from './models/model-cases';
import { Random } from './random';
import { TARGETS } from './targets';

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
  ['headers', 400, 'the readers of safetensors files, with the tensors of the file', 'refused'],
  ['inputs', 400, 'the slices, with the right result', 'refused'],
  ['events', 400, 'the slices, with the right answer', 'refused'],
])('each run of %s of %d ends in %s, or with one clear error', (name, runs, _, refusal) => {
  const { status, stdout } = fuzz('--target', name, '--runs', String(runs), '--seed', '1');
  expect(stdout).toContain(` 0 failed\n`);
  expect(stdout).toMatch(new RegExp(`^${runs} runs with seed 1 in \\d+ s`, 'm'));
  for (const outcome of ['accepted', refusal])
    expect(stdout).toMatch(new RegExp(`^  ${outcome} +[1-9]`, 'm'));
  expect(status).toBe(0);
});

test('all targets run in turn if none is named', () => {
  const { status, stdout } = fuzz('--runs', '2', '--seed', '1');
  const begun = [...stdout.matchAll(/^--target (\w+) --seed 1$/gm)].map(([, name]) => name);
  expect(begun).toEqual(Object.keys(TARGETS));
  expect(status).toBe(0);
});

describe('a target', () => {
  test.each<[name: string, body: string, expected: string | RegExp, flags?: string[]]>([
    ['throws', `throw new TypeError('broken');`, 'TypeError: broken'],
    ['loops', 'for (;;);', 'no end within 1 s', ['--time-limit', '1']],
    ['rejects', `return Promise.reject(new TypeError('broken'));`, 'TypeError: broken'],
    ['never resolves', 'return new Promise(() => undefined);', 'no end within 1 s', ['--time-limit', '1']],
    ['leaves a rejection unhandled', `void Promise.reject(new Error('late')); ${ACCEPT}`, 'late'],
    ['exits', 'process.exit(3);', 'ended its process with code 3'],
    ['crashes', `process.kill(process.pid, 'SIGSEGV'); for (;;);`, 'ended its process with SIGSEGV'],
    [
      'keeps much memory',
      `globalThis.kept = Buffer.alloc(400 << 20, 1); ${ACCEPT}`,
      /took [3-9]\d\d MB of memory/,
    ],
    [
      'needs much memory for a moment',
      `{ let all = Buffer.alloc(400 << 20, 1); all = undefined; } ${ACCEPT}`,
      /took [3-9]\d\d MB of memory/,
    ],
  ])('that %s fails both runs', (_, body, expected, flags = []) => {
    const { status, stdout } = fuzz('--runs', '2', '--seed', '7', '--target', target(body), ...flags);
    expect(stdout).toMatch(expected);
    for (const run of [0, 1]) expect(stdout).toContain(`npm run fuzz -- --seed 7 --run ${run}\n`);
    expect(stdout).toMatch(/2 runs with seed 7 in \d+ s: 2 failed/);
    expect(status).toBe(1);
  });

  test('that throws in one run fails only that run', () => {
    const broken = target(
      `globalThis.runs = (globalThis.runs ?? 0) + 1; if (globalThis.runs === 2) throw new Error('second'); ${ACCEPT}`,
    );
    const { stdout } = fuzz('--runs', '3', '--seed', '7', '--target', broken);
    expect(stdout).toContain('run 1 failed');
    expect(stdout).toMatch(/accepted +2/);
  });
});

describe('a case', () => {
  test('depends only on its seed and run', () => {
    const made = (seed: string): unknown => modelCase(new Random(seed));
    expect(made('5:3')).toEqual(made('5:3'));
    expect(made('5:3')).not.toEqual(made('5:4'));
  });

  test('is kept on request, with the files beside the model', () => {
    const folder = temporaryFolder();
    const { stdout } = fuzz('--seed', '5', '--run', '3', '--keep', folder, '--target', target(ACCEPT));
    const { title, content } = modelCase(new Random('5:3'));
    expect(stdout).toContain(`run 3 (${title}): accepted`);
    expect(fs.readFileSync(path.join(folder, 'run-3', 'model.onnx')).equals(Buffer.from(content))).toBe(true);
    expect(fs.existsSync(path.join(folder, 'run-3', 'w.bin'))).toBe(true);
  });
});

test.each([
  [['--runs', 'many'], '--runs'],
  [['--runs', '0'], '--runs'],
  [['--seed', '-1'], '--seed'],
  [['--ruins', '5'], '--ruins'],
  [['more'], 'too many arguments'],
])('refuses the flags %j in one line', (args, expected) => {
  const { status, stdout, stderr } = fuzz(...args);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(expected);
  expect(stderr.trimEnd()).not.toContain('\n');
});

test('Ctrl-C leaves no temporary files', async () => {
  const temporary = temporaryFolder();
  const fuzzer = spawn(process.execPath, [script, '--target', target('for (;;);')], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(fuzzer, 'exit');
  await once(fuzzer.stdout, 'data');
  fuzzer.kill('SIGINT');
  const [, signal] = (await ended) as [number | null, string | null];
  expect(signal).toBe('SIGINT');
  expect(fs.readdirSync(temporary)).toEqual([]);
});
