// Assembles the package as npm publishes it in dist/package/.
import * as fs from 'node:fs';
import * as path from 'node:path';
import ts from 'typescript';
import { billOfMaterials } from './bill-of-materials.mjs';
import { copyBundledDependencies, writeJson } from './bundled-dependencies.mjs';
import { copyDocuments, writeAbsoluteReadme } from './documents.mjs';
import { translateExamples } from './examples.mjs';
import { compileLibrary } from './jsii.mjs';
import { licenseText } from './licenses.mjs';
import { thirdPartyPackages } from './third-party.mjs';
import { MANIFEST, ROOT, STAGED } from './project.mjs';

/** Entries whose type declarations ship with those that they import. jsii writes the declarations of the library. */
const DECLARATIONS = ['client/index.d.ts', 'local/index.d.ts'];

/** Fields of package.json that are for development. */
// The registry of `publishConfig` does not exist, so that `npm publish` in the repository fails instead of publishing the sources.
const DEVELOPMENT = ['publishConfig', 'scripts', 'devDependencies'];

/**
 * The client uses the application's AWS SDK if there is one. A strict package manager such as pnpm makes an optional peer of a name here, in any
 * version, and so shows the SDK to the client. npm does so anyway. Neither installs it or warns. `peerDependencies` must not have the names:
 * jsii's tools, such as pacmak, look for the jsii assembly of each peer there.
 */
const OPTIONAL_PEERS = ['@aws-sdk/client-s3', '@aws-sdk/client-sfn'];

/** The package.json that npm publishes, from the repository's. */
export function publishedManifest(manifest) {
  const kept = Object.fromEntries(Object.entries(manifest).filter(([field]) => !DEVELOPMENT.includes(field)));
  return {
    ...kept,
    peerDependenciesMeta: Object.fromEntries(OPTIONAL_PEERS.map((name) => [name, { optional: true }])),
  };
}

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
  const packages = thirdPartyPackages();
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
