// The repository's folders and files that the scripts of the package use. Importing it makes errors one line.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the repository. */
export const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** The repository's package.json. */
export const MANIFEST = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

/** Folder of the package as npm packs it. */
export const STAGED = path.join(ROOT, 'dist/package');

/** Folder with a folder for each language, such as `python`. npm's is `js`. */
export const PACKAGES = path.join(ROOT, 'dist');

/** npm's package. */
export const TARBALL = path.join(PACKAGES, 'js', `${MANIFEST.name}-${MANIFEST.version}.tgz`);

export const IS_WINDOWS = process.platform === 'win32';

/** The name of npm's command. */
export const NPM = IS_WINDOWS ? 'npm.cmd' : 'npm';

/** @throws Error if npm's package does not exist */
export function checkPacked() {
  if (fs.existsSync(TARBALL)) return;
  throw new Error(`the package must be packed, got no ${path.basename(TARBALL)}: run \`npm run pack\``);
}

process.on('uncaughtException', (error) => {
  // Any other class is a fault of a script.
  console.error(error.constructor === Error ? `error: ${error.message}` : error.stack);
  process.exitCode = 1;
});
