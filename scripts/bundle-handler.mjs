// Bundles the slice function's handler into one CommonJS file, so that synth needs no bundler.
// onnxruntime-node stays outside: synthesis adds its native library for the functions' architecture.
import { build } from 'esbuild';

await build({
  entryPoints: ['lambda/handler.ts'],
  outfile: 'dist/lambda/bundle/index.js',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // Prefer ES modules: esbuild leaves out the unused parts of the AWS SDK, and the handler loads faster.
  mainFields: ['module', 'main'],
  minify: true,
  legalComments: 'none',
  external: ['onnxruntime-node'],
  logLevel: 'warning',
});
