// Copies the documents that ship, with links that work where a reader finds them.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { filesIn, MANIFEST, ROOT } from './project.mjs';

/** Documents and the command's entry, as they are in the repository. */
const COPIED = [
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
  'ARCHITECTURE.md',
  'docs',
  'bin/sliced-inference.cjs',
];

/** A fenced block of code, or a link or picture with its target. */
const CODE_OR_LINK = /^```[\s\S]*?^```$|(!?)(\[[^\]]*\])\(([^)\s]+)\)/gm;

/** Copies the documents into the folder of the package. Links to files that do not ship become links to the repository. */
export function copyDocuments(folder) {
  for (const name of COPIED) fs.cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  const ships = (file) => fs.existsSync(path.join(folder, file));
  for (const file of filesIn(folder).filter((name) => name.endsWith('.md'))) {
    const document = file.split(path.sep).join('/');
    fs.writeFileSync(path.join(folder, file), withLinks(document, ships));
  }
}

/** Writes the README that the packages of other languages have. Its links are all absolute, because PyPI resolves no relative link. */
export function writeAbsoluteReadme(folder) {
  const readme = withLinks('README.md', () => false);
  fs.writeFileSync(path.join(folder, 'README.md'), readme);
}

/** Returns a document whose links to files for which `ships` is false are absolute. */
function withLinks(document, ships) {
  const home = MANIFEST.repository.url.replace(/\.git$/, '');
  const files = home.replace('https://github.com/', 'https://raw.githubusercontent.com/');
  const text = fs.readFileSync(path.join(ROOT, document), 'utf8');
  return text.replaceAll(CODE_OR_LINK, (whole, picture, label, target) => {
    if (target === undefined || /^[a-z]+:/.test(target)) return whole;
    const [name, anchor] = target.split('#');
    const file = name === '' ? document : path.posix.join(path.posix.dirname(document), name);
    if (ships(file)) return whole;
    const base = picture ? `${files}/main` : `${home}/blob/main`;
    return `${picture}${label}(${base}/${file}${anchor === undefined ? '' : `#${anchor}`})`;
  });
}
