// Packs the package as npm publishes it, and with `--languages python,java,go,dotnet` for other languages.
// Run `npm run build` before.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packLanguage } from './languages.mjs';
import { stagePackage } from './stage.mjs';

const { values } = parseArgs({ options: { languages: { type: 'string', default: '' } } });
const languages = values.languages.split(',').filter(Boolean);

/** Go's package is a folder of many small sources beside one archive. */
const LISTED_BYTES = 100_000;

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const folder = stagePackage(root);
const target = path.join(root, 'dist/js');
fs.mkdirSync(target, { recursive: true });
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const [packed] = JSON.parse(
  execFileSync(npm, ['pack', '--json', '--pack-destination', target], { cwd: folder, encoding: 'utf8' }),
);
console.log(
  `dist/js/${packed.filename}: ${packed.files.length} files, ${megabytes(packed.size)} packed, ${megabytes(packed.unpackedSize)} installed`,
);

for (const language of languages) {
  const files =
    packLanguage(language, folder, path.join(target, packed.filename), path.join(root, 'dist')) ?? [];
  for (const [file, size] of files.map((file) => [file, fs.statSync(file).size]))
    if (size >= LISTED_BYTES)
      console.log(`${path.relative(root, file).replaceAll(path.sep, '/')}: ${megabytes(size)}`);
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
