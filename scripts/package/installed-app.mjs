// An app in an empty folder outside of the repository, with packages as npm installs them by default.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

/** Settings that npm passes on from the repository's .npmrc to the scripts that it runs. */
const INHERITED = [
  'npm_config_ignore_scripts',
  'npm_config_omit_lockfile_registry_resolved',
  'npm_config_audit',
];

/**
 * Creates the folder, runs `use` with it, and removes it.
 *
 * @template Result
 * @param {(folder: string) => Promise<Result>} use
 */
export async function withEmptyFolder(use) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-app-'));
  try {
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    return await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Installs packages and returns the growth of `node_modules`.
 *
 * @param {string} folder folder of the app
 * @param {string[]} packages package specifications
 * @returns {{ packages: number, bytes: number, seconds: number }}
 */
export function npmInstall(folder, packages) {
  const before = installed(folder);
  const start = performance.now();
  // A user's own settings may switch scripts off. The package must also install where they are on.
  run(folder, 'npm', ['install', '--ignore-scripts=false', '--no-audit', '--no-fund', ...packages]);
  const seconds = (performance.now() - start) / 1000;
  const after = installed(folder);
  return { packages: after.packages - before.packages, bytes: after.bytes - before.bytes, seconds };
}

/**
 * Runs a command in the app's folder and returns what it prints.
 *
 * @param {string} folder folder of the app
 * @param {string} command
 * @param {string[]} args
 */
export function run(folder, command, args) {
  const environment = Object.entries(process.env).filter(([name]) => !INHERITED.includes(name.toLowerCase()));
  try {
    return execFileSync(command, args, {
      cwd: folder,
      encoding: 'utf8',
      env: Object.fromEntries(environment),
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
  } catch (error) {
    throw new Error(
      `${[command, ...args].join(' ')} failed\n${error.stdout ?? ''}${error.stderr ?? error.message}`,
    );
  }
}

/** Counts the packages of a folder, nested ones included, and the bytes of its files. */
function installed(folder) {
  const modules = path.join(folder, 'node_modules');
  if (!fs.existsSync(modules)) return { packages: 0, bytes: 0 };
  const files = fs
    .readdirSync(modules, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  return {
    packages: files.filter(isManifest).length,
    bytes: files.reduce((sum, file) => sum + fs.statSync(file).size, 0),
  };
}

/** Whether a file is the package.json of a package, and not of a folder inside of one. */
function isManifest(file) {
  const parts = file.split(path.sep);
  if (parts.at(-1) !== 'package.json') return false;
  return parts.at(-3) === 'node_modules' || (parts.at(-4) === 'node_modules' && parts.at(-3).startsWith('@'));
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
