/**
 * `npm run check:mutants`: makes small random changes of the product, one at a time, and runs the tests that can notice each. Prints the share
 * that is noticed by folder, and the changes that are not. Goes on from the results of an earlier run with the same seed and commit.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Coverage } from './coverage.mjs';
import { drawn, mutated } from './mutants.mjs';
import { Sandbox } from './sandbox.mjs';
import { Selection } from './selection.mjs';
import { Types } from './types.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    mutants: { type: 'string', default: '400' },
    results: { type: 'string' },
    workers: { type: 'string', default: String(Math.max(1, os.cpus().length)) },
    minutes: { type: 'string', default: '600' },
    seconds: { type: 'string', default: '300' },
    folder: { type: 'string', default: os.tmpdir() },
  },
});
const git = (...args) => execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8' }).trim();
if (git('status', '--porcelain', '--untracked-files=no') !== '')
  fail(
    'the sources must be those of a commit, because copies of it are changed: commit or stash your changes',
  );
const commit = git('rev-parse', 'HEAD');
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const wanted = Number(values.mutants);
const resultsFile = values.results ?? path.join(ROOT, 'dist', `mutants-${seed}.jsonl`);
const endsAt = Date.now() + Number(values.minutes) * 60_000;
console.log(`seed ${seed}; results in ${resultsFile}`);

/** @type {Map<number, object>} by the number of the change */
const results = new Map(
  (fs.existsSync(resultsFile) ? fs.readFileSync(resultsFile, 'utf8').trim().split('\n') : [])
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .map((result) => [result.number, result]),
);
const others = [...results.values()].filter((result) => result.commit !== commit);
if (others.length > 0)
  fail(
    `the results in ${resultsFile} must be of commit ${commit}, got ${others[0].commit}: pass other --results`,
  );
const candidates = drawn(ROOT, seed);
const types = new Types(ROOT);
const coverage = new Coverage(ROOT, path.join(ROOT, 'dist', 'mutation-coverage'));
const selection = new Selection(ROOT, coverage);
const isCounted = ({ status }) => status !== 'refused by types';
const counted = () => [...results.values()].filter(isCounted).length;

let next = 0;
let running = 0;
async function work(sandbox) {
  while (counted() + running < wanted && next < candidates.length && Date.now() < endsAt) {
    const number = next++;
    if (results.has(number)) continue;
    running++;
    try {
      const result = { number, commit, ...(await judged(candidates[number], sandbox)) };
      results.set(number, result);
      fs.appendFileSync(resultsFile, `${JSON.stringify(result)}\n`);
      if (isCounted(result)) console.log(`${counted()} ${line(result)}`);
    } finally {
      running--;
    }
  }
}

async function judged(mutant, sandbox) {
  const { file, start, end, replacement, kind } = mutant;
  const original = fs.readFileSync(path.join(ROOT, file), 'utf8');
  const place = original.slice(0, start).split('\n').length;
  const about = { file, line: place, kind, from: original.slice(start, end), to: replacement };
  const text = mutated(original, mutant);
  if (!types.accepts(file, text)) return { ...about, status: 'refused by types' };
  const tests = selection.testsOf(file, start);
  if (tests.length === 0) return { ...about, status: 'survived', note: 'no test runs it' };
  const { by, note } = await sandbox.noticed(file, original, text, tests, Number(values.seconds));
  return { ...about, status: by === undefined ? 'survived' : 'noticed', by, note };
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

function line({ status, file, line: at, from, to, by, note }) {
  const short = (text) => text.replaceAll(/\s+/g, ' ').slice(0, 70);
  return `${status}: ${file}:${at} ${short(from)} -> ${short(to)}${by ? ` (${short(by)})` : ''}${note ? ` (${note})` : ''}`;
}

const folder = fs.mkdtempSync(path.join(values.folder, 'mutants-'));
const sandboxes = [];
try {
  for (let worker = 0; worker < Number(values.workers); worker++)
    sandboxes.push(new Sandbox(ROOT, path.join(folder, String(worker))));
  await Promise.all(sandboxes.map(work));
} finally {
  for (const sandbox of sandboxes) sandbox.remove();
  fs.rmSync(folder, { recursive: true, force: true });
}

const all = [...results.values()].filter(isCounted);
const folders = new Map();
for (const { file, status } of all) {
  const name = file.split('/')[0];
  const [noticed, total] = folders.get(name) ?? [0, 0];
  folders.set(name, [noticed + (status === 'noticed' ? 1 : 0), total + 1]);
}
console.table(
  Object.fromEntries(
    [...folders].map(([name, [noticed, total]]) => [
      name,
      { noticed, total, share: `${((100 * noticed) / total).toFixed(0)} %` },
    ]),
  ),
);
for (const survivor of all.filter(({ status }) => status === 'survived')) console.log(line(survivor));
const noticed = all.filter(({ status }) => status === 'noticed').length;
console.log(
  `seed ${seed}: ${noticed} of ${all.length} changes are noticed (${((100 * noticed) / all.length).toFixed(1)} %)`,
);
