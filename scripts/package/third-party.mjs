// Finds the packages of others that ship: inside the bundles of dist/bundle/, and as bundled dependencies.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { BUNDLED_DEPENDENCIES } from './bundled-dependencies.mjs';
import { ROOT } from './project.mjs';

/** @typedef {{ folder: string, id: string, license: string }} ThirdPartyPackage its id has its name and its version */

/** The folders of the repository that have code of the bundles. */
const OWN = ['bin', 'client', 'contract', 'lambda', 'lib', 'local'];

/** @returns {ThirdPartyPackage[]} all packages that ship, in the order of their ids */
export function thirdPartyPackages() {
  const bundles = JSON.parse(fs.readFileSync(path.join(ROOT, 'dist/bundle.json'), 'utf8'));
  return packagesInside(Object.values(bundles).flat(), BUNDLED_DEPENDENCIES);
}

/**
 * @param {string[]} files of a bundle, relative to the repository
 * @param {string[]} folders of further packages
 * @returns {ThirdPartyPackage[]}
 */
export function packagesInside(files, folders = []) {
  const foreign = files.filter((file) => !OWN.includes(file.split('/')[0]));
  const all = new Set([...foreign.map(packageFolder), ...folders]);
  return [...all].map(describe).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** `node_modules/a/node_modules/@b/c/dist/d.js` lies in the package `node_modules/a/node_modules/@b/c`. */
function packageFolder(file) {
  // A repository that shares `node_modules` with another one has links to it: paths may begin with `../`.
  const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
  if (folder === undefined)
    throw new Error(`a bundle must contain files of packages, got ${file}: find where it comes from`);
  return folder;
}

function describe(relative) {
  const folder = path.join(ROOT, relative);
  const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const { name, version, license } = manifest;
  if (typeof license !== 'string')
    throw new Error(
      `${relative} must name its license, got ${JSON.stringify(license)}: find its license first`,
    );
  return { folder, id: `${name}@${version}`, license };
}
