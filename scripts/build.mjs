// Compiles TypeScript to dist/, and bundles the programs that ship as one CommonJS file each, with the packages that they use, into
// dist/bundle/. The client is also an ES module, for the bundlers of applications: CommonJS inside an ES module cannot load Node.js's own
// modules. onnxruntime-node stays outside because it loads its native library from its own folder.
// dist/bundle.json lists the files in each bundle: the package's licenses and its bill of materials are made from it.
//
// Says what it does on standard error, because commands that print JSON build first.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { build } from 'esbuild';

// With `--bundles`, only the bundles, which are made from the sources.
if (!process.argv.includes('--bundles')) {
  console.error('Compiling TypeScript. The first time takes a minute ...');
  const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'];
  const { status } = spawnSync(process.execPath, tsc, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

console.error('Bundling the programs ...');
fs.rmSync('dist/bundle', { recursive: true, force: true });

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  outdir: 'dist/bundle',
  // Prefer ES modules: esbuild leaves out the unused parts of the AWS SDK, and the programs load faster.
  mainFields: ['module', 'main'],
  legalComments: 'none',
  external: ['onnxruntime-node'],
  metafile: true,
  logLevel: 'warning',
};

/** Identifiers stay readable in stack traces. Node.js prints the whole line in which an uncaught error was thrown, so lines are short. */
const readable = { minifyWhitespace: true, minifySyntax: true, keepNames: true, lineLimit: 160 };

const asModule = { format: 'esm', outExtension: { '.js': '.mjs' } };

/** The client loads the application's SDK, or else the copy beside it. So neither is in its bundle. */
const clientSdk = {
  name: 'client-sdk',
  setup({ onResolve }) {
    onResolve({ filter: /^@aws-sdk\// }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /\/bundled-sdk\.js$/ }, () => ({ path: './bundled-sdk.mjs', external: true }));
  },
};

/** The module for provisioned concurrency is deployed beside the handler, whose file is `index.js` there. */
const deployedHandler = {
  name: 'deployed-handler',
  setup({ onResolve }) {
    onResolve({ filter: /\/handler\.js$/ }, () => ({ path: './index.js', external: true }));
  },
};

const results = await Promise.all([
  build({
    ...shared,
    entryPoints: {
      handler: 'lambda/handler.ts',
      'hash-thread': 'lambda/store/hash-thread.ts',
      'batch-handler': 'lambda/batch-handler.ts',
    },
    minify: true,
  }),
  build({
    ...shared,
    ...asModule,
    entryPoints: { provisioned: 'lambda/provisioned.mts' },
    plugins: [deployedHandler],
    minify: true,
  }),
  build({
    ...shared,
    entryPoints: { worker: 'local/lambda/worker-main.ts' },
    // The runtime client is an ES module that asks for its own address.
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': 'moduleUrl' },
  }),
  build({
    ...shared,
    entryPoints: {
      'sliced-inference': 'bin/sliced-inference.ts',
      program: 'bin/program.ts',
      'verify-job': 'bin/verify/job-child.ts',
      'sizes-job': 'bin/data-sizes/job-child.ts',
      local: 'local/index.ts',
    },
    ...readable,
  }),
  ...[{}, asModule].map((format) =>
    build({
      ...shared,
      ...format,
      entryPoints: { client: 'client/index.ts' },
      plugins: [clientSdk],
      ...readable,
    }),
  ),
  build({
    ...shared,
    ...asModule,
    entryPoints: { 'bundled-sdk': 'client/aws/bundled-sdk.ts' },
    ...readable,
  }),
]);

const outputs = Object.assign({}, ...results.map(({ metafile }) => metafile.outputs));
const inputsOf = ({ inputs }) =>
  Object.keys(inputs)
    .filter((file) => inputs[file].bytesInOutput > 0)
    .sort();
const bundles = Object.entries(outputs).map(([file, output]) => [file, inputsOf(output)]);
fs.writeFileSync('dist/bundle.json', JSON.stringify(Object.fromEntries(bundles)));
