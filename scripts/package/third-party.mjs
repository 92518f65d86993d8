// The packages of others that ship, inside the bundles of dist/bundle/ and as bundled dependencies: their files, licenses and bill of materials.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { execFileSync } from 'node:child_process';
import { MANIFEST, ROOT, filesIn, IS_WINDOWS, NPM } from './project.mjs';

/** @typedef {{ folder: string, id: string, license: string }} ThirdPartyPackage its id has its name and its version */

/** The folders of the repository that have code of the bundles. */
const OWN = ['bin', 'client', 'contract', 'lambda', 'lib', 'local'];

export function thirdPartyPackages() {
  const bundles = JSON.parse(fs.readFileSync(path.join(ROOT, 'dist/bundle.json'), 'utf8'));
  return packagesInside(Object.values(bundles).flat(), BUNDLED_DEPENDENCIES);
}

/**
 * @param {string[]} files of a bundle, relative to the repository
 * @param {string[]} folders of further packages
 * @returns {ThirdPartyPackage[]}
 */
function packagesInside(files, folders = []) {
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

/**
 * ONNX Runtime's libraries by platform. The others of onnxruntime-node are left out: DirectML and the DirectX shader
 * compiler, which ONNX Runtime for Windows loads only to run on a GPU, a second copy of the library for macOS, and
 * Windows on ARM.
 */
const ONNX_RUNTIME_LIBRARIES = {
  'linux/x64': ['libonnxruntime.so.1', 'onnxruntime_binding.node'],
  'linux/arm64': ['libonnxruntime.so.1', 'onnxruntime_binding.node'],
  'darwin/arm64': ['libonnxruntime.1.dylib', 'onnxruntime_binding.node'],
  'win32/x64': ['onnxruntime.dll', 'onnxruntime_binding.node'],
};

/** The files of each package that ship, besides its package.json and its license. */
const FILES = {
  long: ['umd/index.js', 'umd/package.json'],
  'onnxruntime-common': ['dist/cjs'],
  'onnxruntime-node': [
    'dist',
    ...Object.entries(ONNX_RUNTIME_LIBRARIES).flatMap(([platform, names]) =>
      names.map((name) => `bin/napi-v6/${platform}/${name}`),
    ),
  ],
  protobufjs: ['minimal.js', 'src'],
};

/** The folders of the packages, relative to the repository. */
const BUNDLED_DEPENDENCIES = Object.keys(FILES).map((name) => `node_modules/${name}`);

/** Fields of a package.json that say what the package is and how it is loaded. */
const FIELDS = [
  ...['name', 'version', 'description', 'license', 'author', 'repository'],
  ...['os', 'type', 'main', 'exports'],
];

/**
 * Copies the packages into the `node_modules` of a folder. Their package.json files lose scripts, which npm would run at installation, and the
 * dependencies of these scripts.
 */
export function copyBundledDependencies(target) {
  for (const [name, files] of Object.entries(FILES)) {
    const source = path.join(ROOT, 'node_modules', name);
    const copy = path.join(target, 'node_modules', name);
    fs.mkdirSync(copy, { recursive: true });
    const licenses = fs.readdirSync(source).filter((file) => /^licen[sc]e/i.test(file));
    for (const file of [...files, ...licenses])
      fs.cpSync(path.join(source, file), path.join(copy, file), { recursive: true, filter: isNeeded });
    const manifest = JSON.parse(fs.readFileSync(path.join(source, 'package.json'), 'utf8'));
    const dependencies = Object.entries(manifest.dependencies ?? {}).filter(([needed]) => needed in FILES);
    const fields = FIELDS.filter((field) => field in manifest).map((field) => [field, manifest[field]]);
    writeJson(path.join(copy, 'package.json'), {
      ...Object.fromEntries(fields),
      dependencies: Object.fromEntries(dependencies),
    });
  }
}

/** Leaves out type declarations and source maps. */
function isNeeded(file) {
  return !/\.(d\.[cm]?ts|map)$/.test(file);
}

export function writeJson(file, value) {
  fs.writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
}

/** Licenses that allow redistribution under Apache-2.0. */
const ACCEPTED = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT'];

/**
 * Has the licenses of packages that ship without a license file, by name and version. ONNX Runtime's are the LICENSE and the
 * ThirdPartyNotices.txt of its package on PyPI, which has the same libraries.
 */
const NOTICES = path.join(ROOT, 'scripts/package/notices');

const LICENSE_FILE = /^(licen[sc]e|notice|third-party-licenses)/i;

const RULE = `\n${'-'.repeat(78)}\n`;

/**
 * Returns the text. Packages with the same license text share one section.
 *
 * @param {ThirdPartyPackage[]} packages
 */
export function licenseText(packages) {
  const sections = new Map();
  for (const thirdParty of packages) {
    const text = textOf(thirdParty);
    // A package may lie in several folders, one inside each package that uses it.
    const names = sections.get(text) ?? new Set();
    sections.set(text, names.add(`${thirdParty.id} (${thirdParty.license})`));
  }
  return [
    'This package contains the following packages of others. Their licenses follow.',
    ...[...sections].map(([text, names]) => `${[...names].join('\n')}\n\n${text}`),
  ].join(`\n${RULE}\n`);
}

/** Some packages have a folder with the licenses of what they contain. */
function licenseFiles(folder) {
  return fs
    .readdirSync(folder)
    .filter((name) => LICENSE_FILE.test(name))
    .map((name) => path.join(folder, name))
    .flatMap((file) =>
      fs.statSync(file).isDirectory() ? filesIn(file).map((name) => path.join(file, name)) : [file],
    )
    .sort();
}

function textOf({ folder, id, license }) {
  if (!ACCEPTED.includes(license))
    throw new Error(
      `${id} must have one of the licenses ${ACCEPTED.join(', ')}, got ${license}: do not ship it`,
    );
  const files = licenseFiles(folder);
  if (files.length > 0)
    return files.map((file) => fs.readFileSync(file, 'utf8').replaceAll('\r\n', '\n').trim()).join(`\n\n`);
  const notice = path.join(NOTICES, `${id}.txt`);
  if (fs.existsSync(notice)) return fs.readFileSync(notice, 'utf8').trim();
  // The text of this license names no holder, so it is the same for each package.
  if (license === 'Apache-2.0') return fs.readFileSync(path.join(ROOT, 'LICENSE'), 'utf8').trim();
  throw new Error(`${id} must contain its license, got no license file: add ${path.relative(ROOT, notice)}`);
}

/**
 * Returns npm's bill of materials of the lock file, reduced to the packages that ship, without times, serial numbers and the version of npm, so
 * that the same sources have the same text.
 *
 * @param {ThirdPartyPackage[]} packages
 */
export function billOfMaterials(packages) {
  const command = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const options = { cwd: ROOT, encoding: 'utf8', shell: IS_WINDOWS, maxBuffer: 2 ** 28 };
  const { bomFormat, specVersion, metadata, ...whole } = JSON.parse(execFileSync(NPM, command, options));
  const components = packages.map(({ id }) => {
    const found = whole.components.find(
      ({ name, group, version }) => `${group ? `${group}/` : ''}${name}@${version}` === id,
    );
    if (found === undefined)
      throw new Error(
        `package-lock.json must hold each package that ships, got no ${id}: run \`npm install\``,
      );
    return { ...found, scope: 'required', properties: undefined };
  });
  const component = { ...metadata.component, name: MANIFEST.name, properties: undefined };
  return { bomFormat, specVersion, version: 1, metadata: { component }, components };
}
