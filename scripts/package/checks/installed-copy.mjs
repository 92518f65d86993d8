// Copies installed packages with hard links, so that the same packages need not be unpacked again for each example.
import * as fs from 'node:fs';
import * as path from 'node:path';

/** npm writes into this file, which would change the other copies. */
const WRITTEN_IN_PLACE = '.package-lock.json';

/**
 * The new folder's package.json names none of the packages, so npm removes those that the example does not install itself. Without
 * these fields, `npm init` would name all packages that it finds.
 */
const NO_DEPENDENCIES = { private: true, dependencies: {}, devDependencies: {} };

/**
 * @param {string} from folder with `node_modules`
 * @param {string} to a new folder beside it
 */
export function installedCopy(from, to) {
  copy(path.join(from, 'node_modules'), path.join(to, 'node_modules'));
  fs.writeFileSync(path.join(to, 'package.json'), JSON.stringify(NO_DEPENDENCIES));
}

function copy(from, to) {
  fs.mkdirSync(to, { recursive: true });
  // The lock file last: npm trusts it only if it is newer than the folders.
  const entries = fs
    .readdirSync(from, { withFileTypes: true })
    .sort((a, b) => Number(a.name === WRITTEN_IN_PLACE) - Number(b.name === WRITTEN_IN_PLACE));
  for (const entry of entries) {
    const [source, target] = [from, to].map((folder) => path.join(folder, entry.name));
    if (entry.isDirectory()) copy(source, target);
    else if (entry.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(source), target);
    else if (entry.name === WRITTEN_IN_PLACE) fs.copyFileSync(source, target);
    else fs.linkSync(source, target);
  }
}
