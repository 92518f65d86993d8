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
import { MANIFEST, ROOT, STAGED } from './project.mjs';
import { publishedManifest } from './published-manifest.mjs';

/** Entries whose type declarations ship with those that they import. jsii writes the declarations of the library. */
const DECLARATIONS = ['client/index.d.ts', 'local/index.d.ts'];

/** Builds the folder from the output of `npm run build`. */
export function stagePackage() {
  const folder = STAGED;
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  writeJson(path.join(folder, 'package.json'), MANIFEST);
  // The assembly contains the README of the other languages, and the package that of npm.
  writeAbsoluteReadme(folder);
  const types = compileLibrary(folder);
  console.log(`jsii: ${types} public types`);
  console.log(`jsii-rosetta: ${translateExamples(folder)}`);
  copyDocuments(folder);
  fs.cpSync(path.join(ROOT, 'dist/bundle'), path.join(folder, 'dist/bundle'), { recursive: true });
  copyDeclarations(path.join(ROOT, 'dist'), path.join(folder, 'dist'));
  copyBundledDependencies(folder);
  const packages = thirdPartyPackages(BUNDLED_DEPENDENCIES);
  // jsii-pacmak copies a file of this name into the packages of other languages.
  fs.writeFileSync(path.join(folder, 'NOTICE'), licenseText(packages));
  fs.writeFileSync(path.join(folder, 'sbom.cdx.json'), billOfMaterials(packages));
  writeJson(path.join(folder, 'package.json'), publishedManifest(MANIFEST));
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
