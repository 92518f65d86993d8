// Finds the packages of others that ship: inside the bundles of dist/bundle/, and as bundled dependencies.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT } from './project.mjs';

/**
 * A package that ships.
 * @typedef {{ folder: string, name: string, version: string, license: string }} ThirdPartyPackage
 */

/**
 * Returns the packages by name and version.
 *
 * @param {string[]} bundledDependencies folders of packages that ship as modules, relative to the repository
 * @returns {ThirdPartyPackage[]}
 */
export function thirdPartyPackages(bundledDependencies) {
  const bundles = JSON.parse(fs.readFileSync(path.join(ROOT, 'dist/bundle.json'), 'utf8'));
  return described([...foldersOf(Object.values(bundles).flat()), ...bundledDependencies]);
}

/**
 * Returns the packages that files of a bundle belong to, by name and version.
 *
 * @param {string[]} files relative to the repository
 * @returns {ThirdPartyPackage[]}
 */
export function packagesInside(files) {
  return described(foldersOf(files));
}

function foldersOf(files) {
  return files.filter((file) => !isOwn(file)).map(packageFolder);
}

function described(folders) {
  return [...new Set(folders)].map((folder) => describe(folder)).sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

/** @param {ThirdPartyPackage} thirdParty */
export function idOf({ name, version }) {
  return `${name}@${version}`;
}

/** The folders of the repository that have code of the bundles. */
const OWN = ['bin', 'client', 'contract', 'lambda', 'lib', 'local'];

function isOwn(file) {
  return OWN.includes(file.split('/')[0]);
}

/** `node_modules/a/node_modules/@b/c/dist/d.js` lies in the package `node_modules/a/node_modules/@b/c`. */
function packageFolder(file) {
  const marker = 'node_modules/';
  // A repository that shares `node_modules` with another one has links to it: paths may begin with `../`.
  if (!file.includes(marker))
    throw new Error(`a bundle must contain files of packages, got ${file}: find where it comes from`);
  const start = file.lastIndexOf(marker) + marker.length;
  const parts = file.slice(start).split('/');
  return file.slice(0, start) + parts.slice(0, parts[0].startsWith('@') ? 2 : 1).join('/');
}

function describe(folder) {
  const { name, version, license } = JSON.parse(
    fs.readFileSync(path.join(ROOT, folder, 'package.json'), 'utf8'),
  );
  if (typeof license !== 'string')
    throw new Error(
      `${folder} must name its license, got ${JSON.stringify(license)}: find its license first`,
    );
  return { folder: path.join(ROOT, folder), name, version, license };
}
