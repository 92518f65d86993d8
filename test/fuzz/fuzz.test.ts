/** The fuzzer itself: it finds what it looks for, says how to see it again, and finds nothing in the compiler. */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { builtFile } from '../../lib/host/package-files';
import { temporaryFolder } from '../support/model-builder';
import { CaseMaker } from './cases';

const script = builtFile('test/fuzz/main.js');

function fuzz(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
}

/** A module that takes the compiler's place. */
function target(body: string): string {
  const file = path.join(temporaryFolder(), 'target.cjs');
  fs.writeFileSync(file, `exports.runCase = (modelPath, slices) => { ${body} };`);
  return file;
}

const ACCEPT = `return { outcome: 'accepted', message: '', waitedMs: 0 };`;

test('the compiler ends every run with a plan or one clear error', () => {
  const { status, stdout } = fuzz('--runs', '400', '--seed', '1');
  expect(stdout).toMatch(/400 runs with seed 1 in \d+ s: 0 failed/);
  expect(stdout).toMatch(/accepted +[1-9]/);
  expect(stdout).toMatch(/refused by ONNX Runtime +[1-9]/);
  expect(status).toBe(0);
});

describe('a broken target', () => {
  test.each([
    ['throws', `throw new TypeError('broken');`, 'TypeError: broken'],
    ['loops', 'for (;;);', 'no end within 1 s'],
    ['exits', 'process.exit(3);', 'ended its process with code 3'],
    ['crashes', `process.kill(process.pid, 'SIGSEGV'); for (;;);`, 'ended its process with SIGSEGV'],
    ['allocates', `globalThis.kept = Buffer.alloc(400 << 20, 1); ${ACCEPT}`, /took [3-9]\d\d MB of memory/],
    [
      'allocates for a moment',
      `{ let all = Buffer.alloc(400 << 20, 1); all = undefined; } ${ACCEPT}`,
      /took [3-9]\d\d MB of memory/,
    ],
  ])('that %s is found', (_, body, expected) => {
    const broken = target(body);
    const { status, stdout } = fuzz('--runs', '2', '--seed', '7', '--time-limit', '1', '--target', broken);
    expect(stdout).toMatch(expected);
    for (const run of [0, 1]) expect(stdout).toContain(`npm run fuzz -- --seed 7 --run ${run}\n`);
    expect(stdout).toMatch(/2 runs with seed 7 in \d+ s: 2 failed/);
    expect(status).toBe(1);
  });

  test('is told from a good run before and behind it', () => {
    const broken = target(
      `globalThis.runs = (globalThis.runs ?? 0) + 1; if (globalThis.runs === 2) throw new Error('second'); ${ACCEPT}`,
    );
    const { stdout } = fuzz('--runs', '4', '--seed', '7', '--target', broken);
    expect(stdout).toContain('run 1 failed');
    expect(stdout).toMatch(/accepted +3/);
  });
});

describe('a case', () => {
  test('depends on its seed and run alone', () => {
    const maker = new CaseMaker(5);
    const [first] = [3, 17, 40].map((run) => maker.make(run));
    expect(new CaseMaker(5).make(3)).toEqual(first);
    expect(new CaseMaker(6).make(3)).not.toEqual(first);
  });

  test('is kept on demand with what lies beside the model', () => {
    const folder = temporaryFolder();
    const { stdout } = fuzz('--seed', '5', '--run', '3', '--keep', folder, '--target', target(ACCEPT));
    const { title, model } = new CaseMaker(5).make(3);
    expect(stdout).toContain(`run 3 (${title}): accepted`);
    expect(fs.readFileSync(path.join(folder, 'run-3', 'model.onnx')).equals(model)).toBe(true);
    expect(fs.existsSync(path.join(folder, 'run-3', 'w.bin'))).toBe(true);
  });
});

test.each([
  [['--runs', 'many'], '--runs'],
  [['--runs', '0'], '--runs'],
  [['--seed', '-1'], '--seed'],
  [['--ruins', '5'], '--ruins'],
  [['more'], 'too many arguments'],
])('bad flags %j are one line', (args, expected) => {
  const { status, stdout, stderr } = fuzz(...args);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(expected);
  expect(stderr.trimEnd()).not.toContain('\n');
});

test('Ctrl-C leaves nothing behind', async () => {
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
