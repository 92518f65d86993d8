// Assembles the package as npm publishes it in dist/package/, with documents whose links work where a reader finds them.
import * as fs from 'node:fs';
import * as path from 'node:path';
import ts from 'typescript';
import {
  billOfMaterials,
  copyBundledDependencies,
  writeJson,
  licenseText,
  thirdPartyPackages,
} from './third-party.mjs';
import { translateExamples, compileLibrary } from './jsii.mjs';
import { MANIFEST, ROOT, STAGED, filesIn } from './project.mjs';

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
const OPTIONAL_PEERS = ['@aws-sdk/client-lambda', '@aws-sdk/client-s3', '@aws-sdk/client-sfn'];

export function publishedManifest(manifest) {
  const kept = Object.fromEntries(Object.entries(manifest).filter(([field]) => !DEVELOPMENT.includes(field)));
  return {
    ...kept,
    peerDependenciesMeta: Object.fromEntries(OPTIONAL_PEERS.map((name) => [name, { optional: true }])),
  };
}

export function stagePackage() {
  const folder = STAGED;
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  writeJson(path.join(folder, 'package.json'), MANIFEST);
  // The assembly contains the README of the other languages, and the package that of npm.
  writeAbsoluteReadme(folder);
  const types = compileLibrary(folder);
  console.log(`jsii: ${types} public types`);
  translateExamples(folder);
  copyDocuments(folder);
  fs.cpSync(path.join(ROOT, 'dist/bundle'), path.join(folder, 'dist/bundle'), { recursive: true });
  copyDeclarations(path.join(ROOT, 'dist'), path.join(folder, 'dist'));
  copyBundledDependencies(folder);
  const packages = thirdPartyPackages();
  // jsii-pacmak copies a file of this name into the packages of other languages.
  fs.writeFileSync(path.join(folder, 'NOTICE'), licenseText(packages));
  writeJson(path.join(folder, 'sbom.cdx.json'), billOfMaterials(packages));
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
