// Bundles the slice function's handler into one CommonJS file, so that synth needs no bundler.
// onnxruntime-node stays outside: its native library is added per architecture at synth.
import { build } from 'esbuild';

await build({
  entryPoints: ['lambda/handler.ts'],
  outfile: 'dist/lambda/bundle/index.js',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // The ES modules of the AWS SDK: what is not used of them is left out, and the handler loads faster.
  mainFields: ['module', 'main'],
  minify: true,
  legalComments: 'none',
  external: ['onnxruntime-node'],
  logLevel: 'warning',
});
