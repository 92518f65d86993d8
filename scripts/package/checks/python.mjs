// Checks the Python packages in empty virtual environments: `cdk synth` of the example app makes the template and the
// assets that TypeScript makes, the stack computes what ONNX Runtime computes for the whole model, and the client alone calls it.
// Run `npm run pack` before.
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { megabytes, timed } from '../figures.mjs';
import { packLanguage } from '../languages/pack-language.mjs';
import { PYTHON, pythonProblem } from '../languages/python.mjs';
import { IS_WINDOWS, PACKAGES, ROOT, TARBALL, checkPacked } from '../project.mjs';
import { App, withEmptyFolder } from './app.mjs';
import { compareAssets, compareTemplates } from './compare-assemblies.mjs';
import { runWholeModel } from './whole-model.mjs';

const STACK = 'Classifier';
const OUTPUT = 'probabilities';

/** Has the example's stack in TypeScript. */
const GUIDE = 'docs/python.md';

const problem = pythonProblem();
if (problem === undefined) {
  checkPacked();
  await withEmptyFolder(check);
} else console.log(`skipped: ${problem}`);

async function check(folder) {
  const [wheel, client] = buildWheels(path.join(folder, 'packages'));
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

  checkCommand(python, typescript);
  console.log(
    python.run('sliced-inference', ['verify', 'model.onnx', '--slices', '3', '--inputs', 'x.npz']).trim(),
  );
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
  if (!IS_WINDOWS) checkClient(path.join(folder, 'client'), client, python.folder, typescript);
}

/** Builds the wheels of the construct and of the client, which must be those that `npm run pack -- --languages python` has built, if it has. */
function buildWheels(outdir) {
  let files;
  const seconds = timed(() => {
    files = packLanguage('python', outdir);
  });
  for (const file of files ?? []) {
    const built = path.join(PACKAGES, 'python', path.basename(file));
    const isSame = fs.existsSync(built) && fs.readFileSync(built).equals(fs.readFileSync(file));
    if (fs.existsSync(built) && !isSame)
      throw new Error(
        `${path.basename(file)} must have the same bytes in each build, got others than in dist/python`,
      );
    const note = isSame ? ', the same bytes as in dist/python' : '';
    console.log(`${path.basename(file)}: ${megabytes(fs.statSync(file).size)}${note}`);
  }
  console.log(`wheels and source distributions built in ${seconds}`);
  return ['cdk_sliced_inference', 'sliced_inference_client'].map((name) => {
    const wheel = files?.find((file) => path.basename(file).startsWith(`${name}-`) && file.endsWith('.whl'));
    if (wheel === undefined) throw new Error(`packing must build a wheel of ${name}, got none`);
    return wheel;
  });
}

/** Calls the pipeline in the local cloud with the client's wheel alone, as the example's README says. */
function checkClient(folder, wheel, example, typescript) {
  fs.mkdirSync(folder);
  for (const name of ['infer.py', 'x.npz'])
    fs.copyFileSync(path.join(example, name), path.join(folder, name));
  const app = new App('Python client', folder, path.join(folder, '.venv/bin'));
  app.run(PYTHON, ['-m', 'venv', '.venv']);
  app.run('python', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', wheel]);
  const serve = `"${typescript.folder}/node_modules/.bin/sliced-inference" local "${typescript.folder}/cdk.out" --write-env cloud.env`;
  const wait = 'until [ -e cloud.env ]; do kill -0 $!; sleep 1; done';
  const called = app.run('sh', [
    '-ec',
    `${serve} > /dev/null & ${wait}; . ./cloud.env; python infer.py; kill $!`,
  ]);
  const read =
    'from sliced_inference.tensors import decode_file; import sys; print(decode_file(sys.stdin.buffer.read())[sys.argv[1]].argmax(axis=1))';
  const results = path.join(example, 'y.safetensors');
  const expected = app.run('sh', ['-ec', `python -c "${read}" ${OUTPUT} < "${results}"`]);
  if (called !== expected) throw new Error(`infer.py must print ${expected.trim()}, got ${called.trim()}`);
  console.log(`client: ${called.trim()} from the local cloud, with its wheel alone`);
}

/** Installs the wheel and synthesizes the example app, as its README says. */
function pythonApp(folder, wheel) {
  const venv = path.join(folder, '.venv');
  const scripts = path.join(venv, IS_WINDOWS ? 'Scripts' : 'bin');
  fs.cpSync(path.join(ROOT, 'examples/python'), folder, {
    recursive: true,
    filter: (file) => !/(\.venv|cdk\.out|__pycache__|\.onnx|\.npz)$/.test(file),
  });
  const app = new App('Python', folder, scripts);
  app.run(PYTHON, ['-m', 'venv', venv]);
  const packages = app.run('python', ['-c', "import sysconfig; print(sysconfig.get_path('purelib'))"]).trim();
  const size = folderSize(packages);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  const seconds = timed(() => app.run('python', [...pip, wheel]));
  const own = folderSize(path.join(packages, 'cdk_sliced_inference'));
  const all = folderSize(packages) - size;
  console.log(
    `Python: pip install took ${seconds}, ${megabytes(all)} with aws-cdk-lib, of which this package is ${megabytes(own)}`,
  );
  app.run('python', [...pip, '--requirement', 'requirements.txt']);
  app.run('python', ['make_model.py']);
  app.synthesize('first');
  app.synthesize('second');
  return app;
}

/** Installs the tarball with npm's defaults and synthesizes the guide's stack, at the CDK version that pip installed. */
function typescriptApp(folder, versions, pythonFolder) {
  const app = App.typescript(folder);
  const packages = Object.entries(versions).map(([name, number]) => `${name}@${number}`);
  const { seconds } = app.npmInstall([...packages, TARBALL]);
  console.log(`TypeScript: npm install took ${seconds}, with ${packages.join(' and ')}`);
  app.writeApp(GUIDE);
  fs.copyFileSync(path.join(pythonFolder, 'model.onnx'), path.join(folder, 'model.onnx'));
  app.synthesize('first');
  app.synthesize('second');
  return app;
}

/** Checks that the command passes on arguments, messages and exit codes, and measures how long it takes to start. */
function checkCommand(python, typescript) {
  const { status, stderr } = python.spawn('sliced-inference', ['inspect', 'no model.onnx']);
  if (status !== 2 || !stderr.includes("error: model 'no model.onnx' must be"))
    throw new Error(
      `the command must end with 2 and name 'no model.onnx', got ${status} and: ${stderr.trim()}`,
    );
  const model = path.join(python.folder, 'model.onnx');
  for (const [name, app, cache] of [
    ["pip's, with jsii's cache", python, 'enabled'],
    ["pip's, without jsii's cache", python, 'disabled'],
    ["npm's", typescript, 'disabled'],
  ]) {
    const variables = { JSII_RUNTIME_PACKAGE_CACHE: cache };
    const seconds = timed(() => app.run('sliced-inference', ['inspect', model], variables));
    console.log(`sliced-inference inspect, ${name}: ${seconds}`);
  }
}

/** Compares every bit of an output with the whole model's. */
async function compareWithWholeModel(python, typescript, file) {
  const require = createRequire(path.join(typescript.folder, 'app.js'));
  const { decodeTensors } = require('cdk-sliced-inference/client');
  const [shape] = python
    .run('python', [
      '-c',
      "import numpy; x = numpy.load('x.npz')['x']; x.tofile('x.bin'); print(list(x.shape))",
    ])
    .split('\n');
  const x = new Float32Array(new Uint8Array(fs.readFileSync(path.join(python.folder, 'x.bin'))).buffer);
  const { [OUTPUT]: whole } = await runWholeModel(typescript.folder, x, JSON.parse(shape));
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
