// Copies the packages that ship as modules, reduced to what runs on the platforms that this package supports.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT } from './project.mjs';

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
export const BUNDLED_DEPENDENCIES = Object.keys(FILES).map((name) => `node_modules/${name}`);

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

/** Writes an object as JSON. */
export function writeJson(file, value) {
  fs.writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
}
