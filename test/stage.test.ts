/** What a second synthesis costs, and when a model is cut again. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { clearCache } from '../lib/cache/folder';
import { parseModel } from '../lib/onnx/parse';
import { count, maxSliceSize } from '../lib/plan/slicers';
import { stageModel } from '../lib/stage';
import { mlp, saveModel, temporaryFolder } from './model-builder';

const MODEL = mlp(4, 64);

let cache: string;
beforeEach(() => {
  cache = temporaryFolder();
  process.env.SLICED_INFERENCE_CACHE = cache;
});

/** Changes one byte of the last weight and sets the times back to what they were. */
function changeSecretly(file: string): void {
  const { atime, mtime } = fs.statSync(file);
  const content = fs.readFileSync(file);
  const last = parseModel(file).graph.initializers.find(({ tensor }) => tensor.name === 'w3');
  content[last?.tensor.data?.offset ?? NaN] ^= 1;
  fs.writeFileSync(file, content);
  fs.utimesSync(file, atime, mtime);
}

/** Names of the files that reading a model leaves in a part of the cache. */
const entries = (part: string): string[] => fs.readdirSync(path.join(cache, part)).sort();

test('an unchanged model is not read again', () => {
  const file = saveModel(MODEL);
  const first = stageModel(file, count(2));
  // What answers now is the plan of the cache: without the types and with another plan in it, nothing else could.
  fs.rmSync(path.join(cache, 'types'), { recursive: true });
  const [entry] = entries('plans');
  const known = JSON.parse(fs.readFileSync(path.join(cache, 'plans', entry), 'utf8')) as {
    plan: { library: string };
  };
  known.plan.library = 'from the cache';
  fs.writeFileSync(path.join(cache, 'plans', entry), JSON.stringify(known));
  expect(stageModel(file, count(2))).toEqual({
    ...first,
    plan: { ...first.plan, library: 'from the cache' },
  });
  expect(fs.existsSync(path.join(cache, 'types'))).toBe(false);
});

test('other slices are another plan', () => {
  const file = saveModel(MODEL);
  expect(stageModel(file, count(2)).slices).toHaveLength(2);
  expect(stageModel(file, count(3)).slices).toHaveLength(3);
  expect(stageModel(file, maxSliceSize(20_000)).slices).toHaveLength(4);
  expect(stageModel(file, count(2)).slices).toHaveLength(2);
  expect(entries('plans')).toHaveLength(3);
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
  const [entry] = entries('plans');
  const target = path.join(cache, 'plans', entry);
  const known = JSON.parse(fs.readFileSync(target, 'utf8')) as object;
  fs.writeFileSync(target, JSON.stringify({ ...known, writtenAt: 0, plan: { ...plan, slices: [] } }));
  expect(stageModel(file, count(2)).plan).toEqual(plan);
});

test.each([
  [
    'missing',
    (file: string) => {
      fs.rmSync(file);
    },
  ],
  [
    'cut short',
    (file: string) => {
      fs.chmodSync(file, 0o644);
      fs.truncateSync(file, 5);
    },
  ],
])('a slice that is %s is written again', (_, damage) => {
  const file = saveModel(MODEL);
  const { slices } = stageModel(file, count(2));
  const target = slices[1].weights ?? '';
  const content = fs.readFileSync(target);
  damage(target);
  expect(stageModel(file, count(2)).slices).toEqual(slices);
  expect(fs.readFileSync(target)).toEqual(content);
});

test('an entry that is no plan is overwritten', () => {
  const file = saveModel(MODEL);
  const first = stageModel(file, count(2));
  const [entry] = entries('plans');
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"plan": {}}',
    '{"writtenAt": 1e15, "files": {}, "plan": {"slices": 3}}',
  ]) {
    fs.writeFileSync(path.join(cache, 'plans', entry), text);
    expect(stageModel(file, count(2))).toEqual(first);
  }
});

test('slices are read-only, named by their digest, with nothing half-written beside them', () => {
  const { plan } = stageModel(saveModel(MODEL), count(2));
  const digests = plan.slices.flatMap(({ model, weights }) => [model.sha256, weights?.sha256]);
  expect(entries('slices')).toEqual([...new Set(digests)].sort());
  for (const entry of entries('slices'))
    expect(fs.statSync(path.join(cache, 'slices', entry)).mode & 0o222).toBe(0);
});

test('what a killed process left is removed once it is old', () => {
  const folder = path.join(cache, 'slices');
  fs.mkdirSync(folder);
  const [old, recent] = ['old.partial', 'recent.partial'].map((name) => path.join(folder, name));
  for (const file of [old, recent]) fs.writeFileSync(file, 'half');
  const yesterday = new Date(Date.now() - 24 * 60 * 60_000);
  fs.utimesSync(old, yesterday, yesterday);
  stageModel(saveModel(MODEL), count(2));
  expect([old, recent].map((file) => fs.existsSync(file))).toEqual([false, true]);
});

test('a model that changes while it is cut is refused', () => {
  const file = saveModel(MODEL);
  const meddling = {
    key: 'meddling',
    choose: (space: Parameters<ReturnType<typeof count>['choose']>[0]) => {
      changeSecretly(file);
      return count(2).choose(space);
    },
  };
  expect(() => stageModel(file, meddling)).toThrow(
    `'${file}' must stay as it is while it is sliced, got a file that has changed since it was read: start again when nothing writes to it any more`,
  );
  expect(entries('slices')).toEqual([]);
});

test('without a cache it works all the same', () => {
  const file = saveModel(MODEL);
  const { plan } = stageModel(file, count(2));
  process.env.SLICED_INFERENCE_CACHE = '';
  const { plan: same, slices } = stageModel(file, count(2));
  expect(same).toEqual(plan);
  expect(fs.statSync(slices[0].model).size).toBe(plan.slices[0].model.bytes);
});

test('clearing the cache leaves what is not its own', () => {
  fs.writeFileSync(path.join(cache, 'mine.txt'), 'mine');
  stageModel(saveModel(MODEL), count(2));
  expect(clearCache()).toBeGreaterThan(64 * 64 * 4);
  expect(fs.readdirSync(cache)).toEqual(['mine.txt']);
});
