/** Staging reuses stored slices of an unchanged model and cuts a changed model again. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { builtFile } from '../../../lib/host/packages';
import { parseModel } from '../../../lib/onnx/parse';
import { type NamedSlicer, count } from '../../../lib/plan/slicers';
import { stageModel } from '../../../lib/compile/stage';
import { graphOf } from '../../support/graph-text';
import { askOneProcess } from '../../support/inference/fast-analysis';
import { FLOAT, external, mlp, saveModel, temporaryFolder, value } from '../../support/model-builder';

askOneProcess();

const MODEL = mlp(4, 64);

let cache: string;
beforeEach(() => {
  cache = temporaryFolder();
  process.env.SLICED_INFERENCE_CACHE = cache;
});

/** Changes one byte of the last weight and restores the file's timestamps. */
function changeSecretly(file: string): void {
  const { atime, mtime } = fs.statSync(file);
  const content = fs.readFileSync(file);
  const last = parseModel(file).graph.initializers.find(({ tensor }) => tensor.name === 'w3');
  content[last?.tensor.data?.offset ?? NaN] ^= 1;
  fs.writeFileSync(file, content);
  fs.utimesSync(file, atime, mtime);
}

/** Changes the only plan in the cache. */
function changeKnownPlan(change: object): void {
  const target = path.join(cache, 'plans', entries('plans')[0]);
  const known = JSON.parse(fs.readFileSync(target, 'utf8')) as object;
  fs.writeFileSync(target, JSON.stringify({ ...known, ...change }));
}

/** File names in a part of the cache. */
const entries = (part: string): string[] => fs.readdirSync(path.join(cache, part)).sort();

test('an unchanged model is not read again', () => {
  const file = saveModel(MODEL);
  const first = stageModel(file, count(2));
  // Delete the cached types and change the cached plan: only a plan from the cache has the changed field.
  fs.rmSync(path.join(cache, 'types'), { recursive: true });
  const plan = { ...first.plan, library: '9.9.9-from-the-cache' };
  changeKnownPlan({ plan });
  expect(stageModel(file, count(2))).toEqual({ ...first, plan });
  expect(fs.existsSync(path.join(cache, 'types'))).toBe(false);
});

test('the order of the dimensions does not change the cache entry', () => {
  const graph = graphOf('Tanh x > t; Tanh t > y', { input: [value('x', FLOAT, ['batch', 'width'])] });
  const file = saveModel({ graph });
  stageModel(file, count(2), { dimensions: { batch: 2, width: 8 } });
  stageModel(file, count(2), { dimensions: { width: 8, batch: 2 } });
  expect(entries('plans')).toHaveLength(1);
});

test('a changed model with its old timestamps is cut again, and only its slice changes', () => {
  const file = saveModel(MODEL);
  const before = stageModel(file, count(4)).plan.slices;
  changeSecretly(file);
  const after = stageModel(file, count(4)).plan.slices;
  const changed = after.map(({ weights }, slice) => weights?.sha256 !== before[slice].weights?.sha256);
  expect(changed).toEqual([false, false, false, true]);
  expect(after.map(({ model }) => model.sha256)).toEqual(before.map(({ model }) => model.sha256));
});

test('a plan from before the machine started is not trusted', () => {
  const file = saveModel(MODEL);
  const { plan } = stageModel(file, count(2));
  changeKnownPlan({ writtenAt: 0, plan: { ...plan, library: '9.9.9' } });
  expect(stageModel(file, count(2)).plan).toEqual(plan);
});

test.each(['missing', 'cut short'])('a stored slice that is %s is written again', (damage) => {
  const file = saveModel(MODEL);
  const { slices } = stageModel(file, count(2));
  const target = slices[1].weights ?? '';
  const content = fs.readFileSync(target);
  fs.chmodSync(target, 0o644);
  if (damage === 'missing') fs.rmSync(target);
  else fs.truncateSync(target, 5);
  expect(stageModel(file, count(2)).slices).toEqual(slices);
  expect(fs.readFileSync(target)).toEqual(content);
});

test('a cache entry that is not a plan is overwritten', () => {
  const file = saveModel(MODEL);
  const first = stageModel(file, count(2));
  const [entry] = entries('plans');
  const noPlan = '{"writtenAt": 1e15, "files": {}, "plan": {"slices": 3}}';
  for (const text of ['', '{', 'null', '[]', '{"plan": {}}', noPlan]) {
    fs.writeFileSync(path.join(cache, 'plans', entry), text);
    expect(stageModel(file, count(2))).toEqual(first);
  }
});

test('slices are read-only', () => {
  stageModel(saveModel(MODEL), count(2));
  for (const entry of entries('slices'))
    expect(fs.statSync(path.join(cache, 'slices', entry)).mode & 0o222).toBe(0);
});

test('partial files of a killed process are removed once they are old', () => {
  const folder = path.join(cache, 'slices');
  fs.mkdirSync(folder);
  const [old, recent] = ['old.partial', 'recent.partial'].map((name) => path.join(folder, name));
  for (const file of [old, recent]) fs.writeFileSync(file, 'half');
  const yesterday = new Date(Date.now() - 24 * 60 * 60_000);
  fs.utimesSync(old, yesterday, yesterday);
  stageModel(saveModel(MODEL), count(2));
  expect([old, recent].map((file) => fs.existsSync(file))).toEqual([false, true]);
});

test('external data behind a link is read again when the link points to another file', () => {
  const folder = temporaryFolder();
  const weights = (value: number) => Buffer.from(new Float32Array(256 * 4).fill(value).buffer);
  for (const version of [1, 2]) fs.writeFileSync(path.join(folder, `v${version}.bin`), weights(version));
  const link = (version: number): void => {
    fs.rmSync(path.join(folder, 'w.bin'), { force: true });
    fs.symlinkSync(`v${version}.bin`, path.join(folder, 'w.bin'));
  };
  const weight = external('w', [256, 4], { location: 'w.bin' });
  const graph = graphOf('MatMul x w > y', { initializer: [weight], input: [value('x', FLOAT, [1, 256])] });
  const file = saveModel({ graph }, 'model.onnx', folder);
  for (const version of [1, 2, 1]) {
    link(version);
    const [slice] = stageModel(file, count(1)).slices;
    const staged = fs.readFileSync(slice.weights ?? '');
    expect(staged.subarray(0, 4096).equals(weights(version))).toBe(true);
  }
});

test('a model that changes while it is cut is refused', () => {
  const file = saveModel(MODEL);
  const changing: NamedSlicer = {
    key: 'changing',
    choose: (space) => {
      changeSecretly(file);
      return count(2).choose(space);
    },
  };
  expect(() => stageModel(file, changing)).toThrow(
    `'${file}' must not change while it is sliced, got a file that changed after it was read: slice it again when no program writes to it`,
  );
  expect(entries('slices')).toEqual([]);
});

/** Runs `stageModel` of the built library in a child process, after the code in `before`, which may patch `fs`. */
async function stageInChild(file: string, before = '') {
  const script = `
    const fs = require('node:fs');
    ${before}
    const { stageModel } = require(${JSON.stringify(builtFile('lib/compile/stage.js'))});
    const { count } = require(${JSON.stringify(builtFile('lib/plan/slicers/index.js'))});
    try {
      stageModel(${JSON.stringify(file)}, count(3));
    } catch (error) {
      process.stdout.write(error.message);
    }`;
  // Child processes do not inherit what a Jest test sets in `process.env`.
  const env = { ...process.env, SLICED_INFERENCE_CACHE: cache };
  const child = spawn(process.execPath, ['-e', script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [message, ended] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { message, code: (ended as [number | null])[0] };
}

/** Checks each stored file against the digest in its name. */
function expectIntact(): void {
  for (const entry of entries('slices')) {
    const content = fs.readFileSync(path.join(cache, 'slices', entry));
    expect(createHash('sha256').update(content).digest('hex')).toBe(entry);
  }
}

test('a full disk leaves no half-written slices, and the next attempt succeeds', async () => {
  const file = saveModel(MODEL);
  // Only weights are written in pieces of this size.
  const full = `
    const write = fs.writeSync;
    fs.writeSync = (descriptor, bytes, ...rest) => {
      if (bytes.length >= ${64 * 64 * 4}) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      return write(descriptor, bytes, ...rest);
    };`;
  const { message } = await stageInChild(file, full);
  expect(message).toMatch(
    /^the cache '.*slices' must be writable, got no space left on the disk: free some space, or set SLICED_INFERENCE_CACHE to another folder$/,
  );
  expectIntact();
  expect(fs.existsSync(path.join(cache, 'plans')) ? entries('plans') : []).toEqual([]);
  expect(stageModel(file, count(3)).slices).toHaveLength(3);
  expectIntact();
});

test('several processes that stage a model at once write the same slices without conflicts', async () => {
  const file = saveModel(MODEL);
  const ends = await Promise.all(Array.from({ length: 4 }, () => stageInChild(file)));
  expect(ends).toEqual(ends.map(() => ({ message: '', code: 0 })));
  expect(entries('plans')).toHaveLength(1);
  expectIntact();
});
