// What the scripts of the package share: folders, names and sizes. Importing it makes errors one line.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');

export const MANIFEST = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

export const STAGED = path.join(ROOT, 'dist/package');

/** Folder with a folder for each language, such as `python`. npm's is `js`. */
export const PACKAGES = path.join(ROOT, 'dist');

export const TARBALL = path.join(PACKAGES, 'js', `${MANIFEST.name}-${MANIFEST.version}.tgz`);

export const IS_WINDOWS = process.platform === 'win32';

export const NPM = IS_WINDOWS ? 'npm.cmd' : 'npm';

export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

export function filesIn(folder) {
  return fs
    .readdirSync(folder, { recursive: true })
    .filter((name) => fs.statSync(path.join(folder, name)).isFile())
    .sort();
}

export const JSII_VARIABLES = {
  JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: process.versions.node.split('.')[0],
};

process.on('uncaughtException', (error) => {
  // Any other class is a fault of a script.
  console.error(error.constructor === Error ? `error: ${error.message}` : error.stack);
  process.exitCode = 1;
});
