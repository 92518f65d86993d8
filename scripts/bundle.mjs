// Bundles the programs that ship as one CommonJS file each, with the packages that they use, into dist/bundle/.
// onnxruntime-node stays outside because it loads its native library from its own folder.
import { build } from 'esbuild';

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // Prefer ES modules: esbuild leaves out the unused parts of the AWS SDK, and the programs load faster.
  mainFields: ['module', 'main'],
  legalComments: 'none',
  external: ['onnxruntime-node'],
  logLevel: 'warning',
};

await Promise.all([
  build({
    ...shared,
    entryPoints: { handler: 'lambda/handler.ts' },
    outdir: 'dist/bundle',
    minify: true,
  }),
  build({
    ...shared,
    entryPoints: { worker: 'local/lambda/worker-main.ts' },
    outdir: 'dist/bundle',
    // The runtime client is an ES module that asks for its own address.
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': 'moduleUrl' },
  }),
]);
