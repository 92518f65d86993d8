// Compiles the public API with jsii, which makes CDK libraries available in other languages, and keeps none of its output.
// It is a lint: it finds props that jsii cannot translate, such as a union or a Uint8Array, before anyone depends on them.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const own = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

/** The folders that `lib/index.ts` imports from. */
const SOURCES = ['lib', 'contract'];

// jsii requires that every package that is not a jsii module is bundled. It checks that the API shows none of their types.
const bundled = Object.keys(own.dependencies);

// jsii warns if the floor of a peer dependency is not the installed version.
const installed = Object.fromEntries(
  Object.keys(own.peerDependencies).map((name) => [name, own.devDependencies[name]]),
);

const manifest = {
  name: own.name,
  version: own.version,
  description: own.description,
  license: own.license,
  author: { name: own.name, url: 'https://www.npmjs.com/package/cdk-sliced-inference' },
  repository: { type: 'git', url: 'https://www.npmjs.com/package/cdk-sliced-inference' },
  main: 'lib/index.js',
  types: 'lib/index.d.ts',
  jsii: { outdir: 'dist', targets: {} },
  peerDependencies: installed,
  devDependencies: installed,
  dependencies: Object.fromEntries(bundled.map((name) => [name, own.dependencies[name]])),
  bundledDependencies: bundled,
};

/** Finds types that jsii accepts but other languages lose: unions and `any`. */
function untyped(value, place) {
  if (typeof value !== 'object' || value === null) return [];
  if (value.union !== undefined)
    return [`${place} must have one type, got a union: use a class with factories`];
  if (value.primitive === 'any') return [`${place} must have a type, got any: name the type`];
  return Object.entries(value).flatMap(([key, child]) => {
    const isNamed = typeof child?.name === 'string';
    return untyped(child, isNamed ? [place, child.name].filter(Boolean).join('.') : place);
  });
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-api-'));
try {
  for (const source of SOURCES) {
    fs.cpSync(path.join(root, source), path.join(folder, source), { recursive: true });
  }
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest, undefined, 2));
  fs.writeFileSync(path.join(folder, 'README.md'), own.description);
  const jsii = spawnSync(process.execPath, [path.join(root, 'node_modules/jsii/bin/jsii'), folder], {
    encoding: 'utf8',
    env: {
      ...process.env,
      JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: process.versions.node.split('.')[0],
    },
  });
  if (jsii.status === 0) {
    const { types } = JSON.parse(fs.readFileSync(path.join(folder, '.jsii'), 'utf8'));
    const problems = untyped(types, '');
    for (const problem of problems) console.error(`error: ${problem}`);
    if (problems.length === 0) console.log(`public API: ${Object.keys(types).length} types, all clean`);
    process.exitCode = problems.length === 0 ? 0 : 1;
  } else {
    console.error(`${jsii.stdout}${jsii.stderr}`.replaceAll(`${folder}${path.sep}`, '').trim());
    process.exitCode = 1;
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
