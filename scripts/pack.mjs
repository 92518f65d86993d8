// Packs the package and checks that no part is missing: npm runs no prepack script here, because scripts are off.
import { execFileSync } from 'node:child_process';

const NEEDED = [
  'bin/sliced-inference.cjs',
  'dist/lib/index.js',
  'dist/lib/index.d.ts',
  'dist/contract/keys.js',
  'dist/lib/shapes/infer-child.js',
  'dist/bundle/handler.js',
  'dist/client/index.js',
  'dist/local/index.js',
  'dist/bundle/worker.js',
  'dist/bin/sliced-inference.js',
  'docs/plan.md',
];

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const [packed] = JSON.parse(
  execFileSync(npm, ['pack', '--json', ...process.argv.slice(2)], { encoding: 'utf8' }),
);
const files = new Set(packed.files.map(({ path }) => path));
const missing = NEEDED.filter((file) => !files.has(file));
if (missing.length > 0) {
  console.error(`error: ${packed.filename} must hold ${missing.join(', ')}: run \`npm run build\` first`);
  process.exitCode = 1;
} else {
  console.log(`${packed.filename}: ${files.size} files, ${(packed.size / 1024).toFixed(0)} KB`);
}
