/** Finds files of this package, and the onnxruntime-node package that it runs at synth time and deploys with the functions. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { SlicedInferenceError } from '../errors';

export function packageRoot(): string {
  let folder = __dirname;
  while (!fs.existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}

/**
 * The absolute path of a built file.
 *
 * @param relativePath path below `dist/`, such as `bundle/handler.js`
 * @throws Error when the package is not built
 */
export function builtFile(relativePath: string): string {
  const file = path.join(packageRoot(), 'dist', relativePath);
  if (!fs.existsSync(file)) {
    throw new Error(
      `cdk-sliced-inference must be built, got no file ${file}: run \`npm run build\` in its folder`,
    );
  }
  return file;
}

export function packageVersion(): string {
  const manifest = JSON.parse(fs.readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

/** A platform in Node.js's terms. `glibc` is the version of the C library; musl, as in Alpine Linux, has none. */
export interface Platform {
  readonly platform: string;
  readonly arch: string;
  readonly glibc: string | undefined;
}

export function onnxRuntimeFolder(): string {
  return path.dirname(require.resolve('onnxruntime-node/package.json'));
}

/** The folder of onnxruntime-common, the only package that onnxruntime-node needs at run time. */
export function onnxRuntimeCommonFolder(): string {
  const entry = require.resolve('onnxruntime-common', { paths: [onnxRuntimeFolder()] });
  const marker = `${path.sep}onnxruntime-common${path.sep}`;
  return entry.slice(0, entry.lastIndexOf(marker) + marker.length - 1);
}

export function onnxRuntimeVersion(): string {
  const manifest = fs.readFileSync(path.join(onnxRuntimeFolder(), 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Checks that ONNX Runtime runs on this machine. */
export function checkRunsOnnxRuntime(machine: Platform = thisMachine()): void {
  const unsupported = unsupportedPlatform(machine);
  if (unsupported === undefined) return;
  const libraries = librariesFolder();
  const known = fs
    .readdirSync(libraries)
    .flatMap((system) => fs.readdirSync(path.join(libraries, system)).map((cpu) => `${system}-${cpu}`))
    .sort();
  throw new SlicedInferenceError(
    `slicing runs ONNX Runtime, which needs one of the platforms ${known.join(', ')}`,
    unsupported,
    'run `sliced-inference slice` on one of them, and deploy its output from here with SlicedModel.fromDirectory',
  );
}

/** Returns the name of a platform that ONNX Runtime has no library for, and `undefined` for any other. */
export function unsupportedPlatform({ platform, arch, glibc }: Platform): string | undefined {
  const name = `${platform}-${arch}`;
  if (!fs.existsSync(path.join(librariesFolder(), platform, arch, 'onnxruntime_binding.node'))) return name;
  return platform === 'linux' && glibc === undefined
    ? `${name} without glibc, for example Alpine Linux`
    : undefined;
}

function librariesFolder(): string {
  return path.join(onnxRuntimeFolder(), 'bin/napi-v6');
}

export function thisMachine(): Platform {
  const { platform, arch } = process;
  return { platform, arch, glibc: platform === 'linux' ? glibcVersion() : undefined };
}

function glibcVersion(): string | undefined {
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  // Otherwise the report looks up the name of each connection's host.
  report.excludeNetwork = true;
  try {
    const { header } = report.getReport() as unknown as {
      readonly header: { readonly glibcVersionRuntime?: string };
    };
    return header.glibcVersionRuntime;
  } finally {
    report.excludeNetwork = before;
  }
}
