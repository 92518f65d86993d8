// Follows the README of each example in an empty folder beside a clone, command by command, with npm's package, and fails when
// a command fails or prints something else than the text says. The quickstart has a check of its own. Run `npm run pack`
// before. `npm run check:examples -- http speech` follows some of them.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { goProblem } from '../languages/go.mjs';
import { javaProblem, removeFromMavenCache } from '../languages/java.mjs';
import { PYTHON, pythonProblem } from '../languages/python.mjs';
import { MANIFEST, PACKAGES, ROOT, checkPacked } from '../project.mjs';
import { App, withEmptyFolder } from './app.mjs';
import { installedCopy } from './installed-copy.mjs';
import { writeSmallModel } from './small-model.mjs';
import { follow, stepsOf } from './transcript.mjs';

const FOLDER = 'examples';

const OWN_CHECK = ['quickstart'];

/** More would only wait for each other's processors. */
const AT_A_TIME = Math.min(2, os.availableParallelism());

/** Take the longest, so they start first. */
const LONGEST = ['python', 'java', 'ocr'];

/** Longer than this text, a command would not fit on a line of the report. */
const LINE = 110;

/**
 * Examples that need more than Node.js: why they cannot be followed here, and what the check does before and after.
 *
 * @type {Record<string, { problem: () => string | undefined, before?: (folder: string) => void, after?: () => void }>}
 */
const SPECIAL = {
  embeddings: { problem: () => missing(PYTHON, ['-m', 'pip', '--version']) ?? missing('unzip', ['-v']) },
  python: { problem: () => unpacked('python') ?? pythonProblem() },
  java: {
    problem: () => unpacked('java') ?? javaProblem(),
    before: (folder) => writeSmallModel(path.join(folder, 'model.onnx')),
    after: removeFromMavenCache,
  },
  go: {
    problem: () => unpacked('go') ?? goProblem(),
    before: (folder) => writeSmallModel(path.join(folder, 'model.onnx')),
  },
};

const chosen = process.argv.slice(2);
const names = fs
  .readdirSync(path.join(ROOT, FOLDER), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !OWN_CHECK.includes(entry.name))
  .map(({ name }) => name)
  .filter((name) => chosen.length === 0 || chosen.includes(name));
const unknown = chosen.find((name) => !names.includes(name));
if (unknown !== undefined) throw new Error(`the check must be given examples, got '${unknown}'`);

checkPacked();
await withEmptyFolder(async (folder) => {
  fs.symlinkSync(ROOT, path.join(folder, MANIFEST.name), 'dir');
  const common = path.join(folder, 'common');
  installCommon(common);
  const rows = [];
  const waiting = names.toSorted((a, b) => LONGEST.includes(b) - LONGEST.includes(a));
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
      rows.push(await resultOf(name, path.join(folder, name), common));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  report(rows);
});

/** Installs what all examples need, as the quickstart says. */
function installCommon(folder) {
  fs.mkdirSync(folder);
  const app = appIn(folder);
  const quickstart = path.join(FOLDER, OWN_CHECK[0], 'README.md');
  const installing = readme(quickstart).find(({ command }) => command?.startsWith('npm init'));
  if (installing === undefined) throw new Error(`${quickstart} must install packages, got no \`npm init\``);
  app.run('bash', ['-ec', installing.command]);
}

/** @returns {Promise<{ name: string, result: string, lines?: string[], failure?: string }>} */
async function resultOf(name, folder, common) {
  const { problem, before, after } = SPECIAL[name] ?? {};
  try {
    const found = problem?.();
    if (found !== undefined) return { name, result: `skipped: ${found}` };
    const steps = readme(path.join(FOLDER, name, 'README.md'));
    if (problem === undefined || name === 'embeddings') installedCopy(common, folder);
    else fs.mkdirSync(folder);
    before?.(folder);
    const { seconds, lines } = await follow(appIn(folder), steps);
    return { name, result: `${seconds} s`, lines };
  } catch (error) {
    return { name, result: 'FAILED', failure: error.message };
  } finally {
    after?.();
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function appIn(folder) {
  const app = new App('sh', folder);
  // The registry is asked only for what this machine has not installed before.
  app.variables.npm_config_prefer_offline = 'true';
  return app;
}

function readme(file) {
  return stepsOf(file, fs.readFileSync(path.join(ROOT, file), 'utf8'));
}

function missing(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
    ? undefined
    : `it needs \`${[command, ...args].join(' ')}\`, which does not run`;
}

function unpacked(language) {
  return fs.existsSync(path.join(PACKAGES, language))
    ? undefined
    : `it needs dist/${language}: run \`npm run pack -- --languages ${language}\``;
}

function report(rows) {
  const sorted = rows.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, lines = [], failure } of sorted) {
    console.log(`\n${FOLDER}/${name}`);
    for (const line of failure === undefined ? lines : [failure])
      console.log(line.length > LINE && failure === undefined ? `${line.slice(0, LINE)}…` : line);
  }
  console.log('');
  for (const { name, result } of sorted) console.log(`${name.padEnd(20)} ${result}`);
  const failed = sorted.filter(({ failure }) => failure !== undefined);
  if (failed.length > 0)
    throw new Error(
      `the README of each example must be right, got ${failed.length} that fail: ${failed.map(({ name }) => name).join(', ')}`,
    );
}
