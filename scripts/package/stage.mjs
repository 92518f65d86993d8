// Assembles the package as npm publishes it in dist/package/.
import * as fs from 'node:fs';
import * as path from 'node:path';
import ts from 'typescript';
import { billOfMaterials } from './bill-of-materials.mjs';
import { BUNDLED_DEPENDENCIES, copyBundledDependencies, writeJson } from './bundled-dependencies.mjs';
import { copyDocuments, writeAbsoluteReadme } from './documents.mjs';
import { translateExamples } from './examples.mjs';
import { compileLibrary } from './jsii.mjs';
import { licenseText } from './licenses.mjs';
import { thirdPartyPackages } from './third-party.mjs';

/** Entries whose type declarations ship with those that they import. jsii writes the declarations of the library. */
const DECLARATIONS = ['client/index.d.ts', 'local/index.d.ts'];

/** Fields of package.json that are for development. */
const DEVELOPMENT = ['private', 'scripts', 'devDependencies'];

/**
 * Builds the folder from the output of `npm run build`.
 *
 * @param {string} root folder of the repository
 * @returns {string} the folder
 */
export function stagePackage(root) {
  const folder = path.join(root, 'dist/package');
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  writeJson(path.join(folder, 'package.json'), manifest);
  // The assembly contains the README of the other languages, and the package that of npm.
  writeAbsoluteReadme(root, folder);
  const types = compileLibrary(root, folder);
  console.log(`jsii: ${types} public types`);
  console.log(`jsii-rosetta: ${translateExamples(root, folder)}`);
  copyDocuments(root, folder);
  fs.cpSync(path.join(root, 'dist/bundle'), path.join(folder, 'dist/bundle'), { recursive: true });
  copyDeclarations(path.join(root, 'dist'), path.join(folder, 'dist'));
  copyBundledDependencies(root, folder);
  const packages = thirdPartyPackages(root, BUNDLED_DEPENDENCIES);
  fs.writeFileSync(path.join(folder, 'THIRD-PARTY-LICENSES.txt'), licenseText(packages));
  fs.writeFileSync(path.join(folder, 'sbom.cdx.json'), billOfMaterials(root, packages));
  writeJson(path.join(folder, 'package.json'), published(manifest));
  return folder;
}

function copyDeclarations(source, target) {
  const entries = DECLARATIONS.map((entry) => path.join(source, entry));
  const program = ts.createProgram(entries, { module: ts.ModuleKind.Node16, types: ['node'] });
  for (const { fileName } of program.getSourceFiles()) {
    const relative = path.relative(source, fileName);
    if (relative.startsWith('..')) continue;
    const copy = path.join(target, relative);
    fs.mkdirSync(path.dirname(copy), { recursive: true });
    fs.copyFileSync(fileName, copy);
  }
}

function published(manifest) {
  return Object.fromEntries(Object.entries(manifest).filter(([field]) => !DEVELOPMENT.includes(field)));
}
