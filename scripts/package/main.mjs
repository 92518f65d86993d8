// Packs the package as npm publishes it, and with `--languages python,java,go,dotnet` for other languages. Run `npm run build` before.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packLanguage } from './languages.mjs';
import { stagePackage } from './stage.mjs';

const { values } = parseArgs({ options: { languages: { type: 'string', default: '' } } });
const languages = values.languages.split(',').filter(Boolean);

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

for (const language of languages)
  for (const file of packLanguage(
    language,
    folder,
    path.join(target, packed.filename),
    path.join(root, 'dist'),
  ) ?? [])
    console.log(
      `${path.relative(root, file).replaceAll(path.sep, '/')}: ${megabytes(fs.statSync(file).size)}`,
    );

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
