// Packs the package as npm publishes it, and with `--languages python,java,go,dotnet` for other languages, or `all` of them.
// dist/SHA256SUMS lists the digests of all files. Run `npm run build` before.
import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { checkLanguage, packLanguage } from './languages/pack-language.mjs';
import { LANGUAGE_NAMES } from './languages/tools.mjs';
import { IS_WINDOWS, megabytes, NPM, PACKAGES, ROOT, STAGED, TARBALL } from './project.mjs';
import { stagePackage } from './stage.mjs';

/** The main files of each package are larger. A Go module has dozens of sources. */
const SMALLEST_LISTED_BYTES = 100_000;

const { values } = parseArgs({ options: { languages: { type: 'string', default: '' } } });

const languages = values.languages === 'all' ? LANGUAGE_NAMES : values.languages.split(',').filter(Boolean);
// Packing takes minutes.
for (const language of languages) checkLanguage(language);

stagePackage();
fs.rmSync(path.dirname(TARBALL), { recursive: true, force: true });
fs.mkdirSync(path.dirname(TARBALL), { recursive: true });
const pack = ['pack', '--json', '--pack-destination', path.dirname(TARBALL)];
const [packed] = JSON.parse(
  execFileSync(NPM, pack, {
    cwd: STAGED,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: IS_WINDOWS,
  }),
);
console.log(
  `${inRepository(TARBALL)}: ${packed.files.length} files, ${megabytes(packed.size)} packed, ${megabytes(packed.unpackedSize)} installed`,
);

const files = [TARBALL];
for (const language of languages) {
  for (const file of packLanguage(language, PACKAGES)) {
    files.push(file);
    const { size } = fs.statSync(file);
    if (size >= SMALLEST_LISTED_BYTES || file.endsWith('.whl'))
      console.log(`${inRepository(file)}: ${megabytes(size)}`);
  }
}

const sums = files.map(
  (file) =>
    `${hash('sha256', fs.readFileSync(file))}  ${path.relative(PACKAGES, file).replaceAll(path.sep, '/')}\n`,
);
fs.writeFileSync(path.join(PACKAGES, 'SHA256SUMS'), sums.join(''));

function inRepository(file) {
  return path.relative(ROOT, file).replaceAll(path.sep, '/');
}
