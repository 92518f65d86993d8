/** The code of the slice functions: the bundled handler and the parts of ONNX Runtime that run on Lambda, built without Docker. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { hash } from 'node:crypto';
import { AssetHashType, DockerImage, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { fileDigest } from '../cache/fingerprint';
import { SlicedInferenceError, quoted } from '../errors';
import { onnxRuntimeCommonFolder, onnxRuntimeFolder, builtFile } from '../host/packages';

export const HANDLER = 'index.handler';

/** Of a function with provisioned concurrency, which loads its slice before calls come. */
export const PROVISIONED_HANDLER = 'provisioned.handler';

/** CDK allows a code object in one stack only. Sharing it within the stack makes one asset for all functions. */
const codeByStack = new WeakMap<Stack, Map<string, lambda.Code>>();

/** @param handlers functions of the user, which are deployed with the code */
export function runtimeCode(
  scope: Construct,
  architecture: lambda.Architecture,
  handlers: CodeHandlers = {},
): lambda.Code {
  const own = Object.values(handlers);
  if (own.length > 0) return createCode(filesFor(architecture), own);
  return sharedCode(scope, architecture.name, () => filesFor(architecture));
}

export function runtimeCodeDigest(architecture: lambda.Architecture, handlers: CodeHandlers = {}): string {
  return codeDigest(filesFor(architecture), Object.values(handlers));
}

/** A function of the user that is deployed with the code of this package. */
export interface CodeHandler {
  /** File and export, such as `preprocess/index.js#handler`. */
  readonly entry: string;
  /** Hexadecimal SHA-256 of its files. */
  readonly digest: string;
  /** Writes its files into the folder of the code. */
  write(folder: string): void;
}

export type CodeHandlers = Readonly<Partial<Record<'preprocess' | 'postprocess', CodeHandler>>>;

/** The code of a batch's function, which runs no model. */
export function batchCode(scope: Construct): lambda.Code {
  return sharedCode(scope, 'batch', () => [
    { target: 'index.js', source: builtFile('bundle/batch-handler.js') },
  ]);
}

function sharedCode(scope: Construct, name: string, files: () => CodeFile[]): lambda.Code {
  const stack = Stack.of(scope);
  const shared = codeByStack.get(stack) ?? new Map<string, lambda.Code>();
  codeByStack.set(stack, shared);
  const code = shared.get(name) ?? createCode(files());
  shared.set(name, code);
  return code;
}

function filesFor(architecture: lambda.Architecture): CodeFile[] {
  return codeFiles(architecture.name === lambda.Architecture.ARM_64.name ? 'arm64' : 'x64');
}

function createCode(files: readonly CodeFile[], handlers: readonly CodeHandler[] = []): lambda.Code {
  return lambda.Code.fromAsset(path.dirname(files[0].source), {
    assetHash: codeDigest(files, handlers),
    assetHashType: AssetHashType.CUSTOM,
    bundling: {
      image: DockerImage.fromRegistry('never-used'),
      local: {
        tryBundle: (folder: string): boolean => {
          for (const { target, source } of files) {
            fs.mkdirSync(path.dirname(path.join(folder, target)), { recursive: true });
            fs.copyFileSync(source, path.join(folder, target), fs.constants.COPYFILE_FICLONE);
          }
          for (const handler of handlers) handler.write(folder);
          return true;
        },
      },
    },
  });
}

interface CodeFile {
  readonly target: string;
  readonly source: string;
}

type LinuxCpu = 'x64' | 'arm64';

export function codeFiles(cpu: LinuxCpu): CodeFile[] {
  return [
    { target: 'index.js', source: builtFile('bundle/handler.js') },
    { target: 'provisioned.mjs', source: builtFile('bundle/provisioned.mjs') },
    { target: 'hash-thread.js', source: builtFile('bundle/hash-thread.js') },
    ...onnxRuntimeFiles(onnxRuntimeFolder(), cpu),
    ...packageFiles(onnxRuntimeCommonFolder(), 'onnxruntime-common', ['package.json', 'dist/cjs']),
  ];
}

/**
 * Lists only the two libraries that run on a CPU: the package's install script, if npm ran it, has downloaded hundreds
 * of megabytes of CUDA libraries into the same folder.
 */
export function onnxRuntimeFiles(folder: string, cpu: LinuxCpu): CodeFile[] {
  const binaries = `bin/napi-v6/linux/${cpu}`;
  const libraries = ['onnxruntime_binding.node', 'libonnxruntime.so.1'].map((name) => `${binaries}/${name}`);
  const missing = libraries.find((library) => !fs.existsSync(path.join(folder, library)));
  if (missing === undefined)
    return packageFiles(folder, 'onnxruntime-node', ['package.json', 'dist', ...libraries]);
  throw new SlicedInferenceError(
    `onnxruntime-node must contain its libraries for Linux on ${cpu}`,
    `a package without ${quoted(missing)}`,
    'reinstall onnxruntime-node',
  );
}

function packageFiles(folder: string, name: string, parts: readonly string[]): CodeFile[] {
  return parts
    .flatMap((part) => filesBelow(path.join(folder, part)))
    .filter((file) => !/\.(d\.ts|map)$/.test(file))
    .sort()
    .map((source) => ({
      target: path.posix.join('node_modules', name, path.relative(folder, source).split(path.sep).join('/')),
      source,
    }));
}

export function filesBelow(target: string): string[] {
  if (fs.statSync(target).isFile()) return [target];
  return fs.readdirSync(target).flatMap((entry) => filesBelow(path.join(target, entry)));
}

const digests = new Map<string, string>();

/**
 * Returns the hexadecimal SHA-256 of the files' targets and digests, and of the user's functions. Of the files, it is computed once per
 * process, because files of installed packages do not change.
 */
function codeDigest(files: readonly CodeFile[], handlers: readonly CodeHandler[] = []): string {
  const key = files.map(({ source }) => source).join('\n');
  const digest = digests.get(key) ?? digestOfFiles(files);
  digests.set(key, digest);
  if (handlers.length === 0) return digest;
  return hash('sha256', JSON.stringify([digest, ...handlers.map((own) => [own.entry, own.digest])]));
}

export function digestOfFiles(files: readonly CodeFile[]): string {
  const lines = files.map(({ target, source }) => `${target}\n${fileDigest(path.resolve(source))}\n`);
  return hash('sha256', lines.join(''));
}
