// Checks the Python package in an empty virtual environment: `cdk synth` of the example app makes the template and the
// assets that TypeScript makes, and the stack computes what ONNX Runtime computes for the whole model.
// Run `npm run pack` before.
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareAssets, compareTemplates } from './compare-assemblies.mjs';
import { ExampleApp, timed } from './example-app.mjs';
import { packLanguage } from './languages.mjs';
import { PYTHON, pythonProblem } from './python.mjs';

const STACK = 'Classifier';
const OUTPUT = 'probabilities';

/** Has the example's stack in TypeScript. */
const GUIDE = 'docs/python.md';

const isWindows = process.platform === 'win32';
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
const staged = path.join(root, 'dist/package');
const tarball = path.join(root, `dist/js/cdk-sliced-inference-${version}.tgz`);

await main();

async function main() {
  const problem = pythonProblem();
  if (problem !== undefined) {
    console.log(`skipped: ${problem}`);
    return;
  }
  if (!fs.existsSync(tarball))
    throw new Error(`the package must be packed, got no ${path.basename(tarball)}: run \`npm run pack\``);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'check-python-'));
  try {
    await check(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function check(folder) {
  const wheel = buildWheel(path.join(folder, 'packages'));
  const python = pythonApp(path.join(folder, 'python'), wheel);
  const versions = Object.fromEntries(
    ['aws-cdk-lib', 'constructs'].map((name) => [
      name,
      python.run(PYTHON, ['-c', `from importlib.metadata import version; print(version('${name}'))`]).trim(),
    ]),
  );
  const typescript = typescriptApp(path.join(folder, 'typescript'), versions, python.folder);

  const [template, other] = [python, typescript].map((app) =>
    path.join(app.folder, 'cdk.out', `${STACK}.template.json`),
  );
  console.log(
    `templates: ${compareTemplates(template, other)} resources, equal but for CDKMetadata and its condition`,
  );
  const assets = compareAssets(path.dirname(template), path.dirname(other));
  console.log(`assets: ${assets.files} files, ${megabytes(assets.bytes)}, equal byte for byte`);

  console.log(python.run('sliced-inference', ['verify', 'model.onnx', '--slices', '3']).trim());
  const files = [python, typescript].map((app) => {
    const file = path.join(app.folder, 'y.safetensors');
    const inputs = path.join(python.folder, 'x.npz');
    const seconds = timed(() =>
      app.run('sliced-inference', ['run', 'cdk.out', '--inputs', inputs, '--out', file]),
    );
    console.log(`${app.language}: sliced-inference run took ${seconds}`);
    return fs.readFileSync(file);
  });
  if (!files[0].equals(files[1]))
    throw new Error("the outputs of Python's and TypeScript's assemblies must be equal, got other bytes");
  await compareWithWholeModel(python, typescript, files[0]);
}

/** Builds the wheel, which must be the one that `npm run pack -- --languages python` has built, if it has. */
function buildWheel(outdir) {
  let files;
  const seconds = timed(() => {
    files = packLanguage('python', staged, tarball, outdir);
  });
  for (const file of files ?? []) {
    const built = path.join(root, 'dist/python', path.basename(file));
    const isSame = fs.existsSync(built) && fs.readFileSync(built).equals(fs.readFileSync(file));
    if (fs.existsSync(built) && !isSame)
      throw new Error(
        `${path.basename(file)} must have the same bytes in each build, got others than in dist/python`,
      );
    const note = isSame ? ', the same bytes as in dist/python' : '';
    console.log(`${path.basename(file)}: ${megabytes(fs.statSync(file).size)}${note}`);
  }
  console.log(`wheel and source distribution built in ${seconds}`);
  const wheel = files?.find((file) => file.endsWith('.whl'));
  if (wheel === undefined) throw new Error('jsii-pacmak must build a wheel, got none');
  return wheel;
}

/** Installs the wheel and synthesizes the example app, as its README says. */
function pythonApp(folder, wheel) {
  const venv = path.join(folder, '.venv');
  const scripts = path.join(venv, isWindows ? 'Scripts' : 'bin');
  fs.cpSync(path.join(root, 'examples/python'), folder, {
    recursive: true,
    filter: (file) => !/(\.venv|cdk\.out|__pycache__|\.onnx|\.npz)$/.test(file),
  });
  const app = new ExampleApp('Python', folder, scripts);
  app.run(PYTHON, ['-m', 'venv', venv]);
  const size = folderSize(venv);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  const seconds = timed(() => app.run('python', [...pip, wheel]));
  console.log(
    `Python: pip install took ${seconds}, ${megabytes(folderSize(venv) - size)} in an empty virtual environment`,
  );
  app.run('python', [...pip, '--requirement', 'requirements.txt']);
  app.run('python', ['make_model.py']);
  app.synthesize('first');
  app.synthesize('second');
  return app;
}

/** Installs the tarball with npm's defaults and synthesizes the guide's stack, at the CDK version that pip installed. */
function typescriptApp(folder, versions, pythonFolder) {
  fs.mkdirSync(folder);
  const app = new ExampleApp('TypeScript', folder, path.join(folder, 'node_modules/.bin'));
  const packages = Object.entries(versions).map(([name, number]) => `${name}@${number}`);
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const seconds = timed(() => app.run(isWindows ? 'npm.cmd' : 'npm', ['install', ...packages, tarball]));
  console.log(`TypeScript: npm install took ${seconds}, with ${packages.join(' and ')}`);
  const guide = fs.readFileSync(path.join(root, GUIDE), 'utf8');
  const [, code] = /^```ts\n([\s\S]*?)^```$/m.exec(guide) ?? [];
  if (code === undefined) throw new Error(`${GUIDE} must have the stack in TypeScript, got no such block`);
  fs.writeFileSync(path.join(folder, 'app.ts'), code);
  const options = ['--strict', '--module', 'node16', '--types', 'node'];
  const types = ['--typeRoots', path.join(root, 'node_modules/@types')];
  app.run(process.execPath, [
    path.join(root, 'node_modules/typescript/bin/tsc'),
    ...options,
    ...types,
    'app.ts',
  ]);
  fs.copyFileSync(path.join(pythonFolder, 'model.onnx'), path.join(folder, 'model.onnx'));
  fs.writeFileSync(path.join(folder, 'cdk.json'), '{ "app": "node app.js" }\n');
  app.synthesize('first');
  return app;
}

/** Runs the whole model with the settings that slice functions use, and compares every bit of its output. */
async function compareWithWholeModel(python, typescript, file) {
  const require = createRequire(
    path.join(typescript.folder, 'node_modules/cdk-sliced-inference/package.json'),
  );
  const { InferenceSession, Tensor } = require('onnxruntime-node');
  const { decodeTensors } = require('cdk-sliced-inference/client');
  python.run('python', ['-c', "import numpy; numpy.load('x.npz')['x'].tofile('x.bin')"]);
  const x = new Float32Array(new Uint8Array(fs.readFileSync(path.join(python.folder, 'x.bin'))).buffer);
  const session = await InferenceSession.create(path.join(python.folder, 'model.onnx'), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    extra: { session: { disable_prepacking: '1' } },
  });
  const [{ name, shape }] = session.inputMetadata;
  const dimensions = [x.length / shape[1], shape[1]];
  const outputs = await session.run({ [name]: new Tensor('float32', x, dimensions) });
  const { data } = outputs[OUTPUT];
  const whole = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const { bytes } = decodeTensors(file).get(OUTPUT);
  if (whole.length === 0 || !whole.equals(bytes))
    throw new Error(`${OUTPUT} of the slices must equal the whole model's, got other bytes`);
  console.log(`outputs: ${whole.length} bytes, the same from Python, TypeScript and the unsliced model`);
}

function folderSize(folder) {
  return fs
    .readdirSync(folder, { recursive: true })
    .map((name) => fs.lstatSync(path.join(folder, name)))
    .reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0);
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
