/** The code of every slice function: the bundled handler and ONNX Runtime for one architecture, without Docker. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { AssetHashType, DockerImage, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { onnxRuntimeCommonFolder, onnxRuntimeFolder } from '../onnxruntime';
import { builtFile } from '../package-files';

/** Handler of the bundle, as Lambda names it. */
export const HANDLER = 'index.handler';

/** One file of the code: where it goes and where it comes from. */
interface CodeFile {
  readonly target: string;
  readonly source: string;
}

/** CDK allows a code object in one stack only; sharing it there makes one asset of many functions. */
const codeByStack = new WeakMap<Stack, Map<string, lambda.Code>>();

export function runtimeCode(scope: Construct, architecture: lambda.Architecture): lambda.Code {
  const stack = Stack.of(scope);
  const shared = codeByStack.get(stack) ?? new Map<string, lambda.Code>();
  codeByStack.set(stack, shared);
  const known = shared.get(architecture.name);
  if (known) return known;
  const code = createCode(codeFiles(architecture));
  shared.set(architecture.name, code);
  return code;
}

function createCode(files: readonly CodeFile[]): lambda.Code {
  return lambda.Code.fromAsset(path.dirname(files[0].source), {
    assetHash: digestOf(files),
    assetHashType: AssetHashType.CUSTOM,
    bundling: {
      image: DockerImage.fromRegistry('never-used'),
      local: {
        tryBundle: (folder: string): boolean => {
          for (const { target, source } of files) {
            fs.mkdirSync(path.dirname(path.join(folder, target)), { recursive: true });
            fs.copyFileSync(source, path.join(folder, target), fs.constants.COPYFILE_FICLONE);
          }
          return true;
        },
      },
    },
  });
}

function codeFiles(architecture: lambda.Architecture): CodeFile[] {
  const cpu = architecture === lambda.Architecture.ARM_64 ? 'arm64' : 'x64';
  const runtime = onnxRuntimeFolder();
  const common = onnxRuntimeCommonFolder();
  return [
    { target: 'index.js', source: builtFile('lambda/bundle/index.js') },
    ...packageFiles(runtime, 'onnxruntime-node', ['package.json', 'dist', `bin/napi-v6/linux/${cpu}`]),
    ...packageFiles(common, 'onnxruntime-common', ['package.json', 'dist/cjs']),
  ];
}

/** What runs of a package: no types, no source maps. */
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

function filesBelow(target: string): string[] {
  if (fs.statSync(target).isFile()) return [target];
  return fs.readdirSync(target).flatMap((entry) => filesBelow(path.join(target, entry)));
}

const digests = new Map<string, string>();

/** SHA-256 over names and contents. The files belong to installed packages: one digest per process is enough. */
function digestOf(files: readonly CodeFile[]): string {
  const key = files.map(({ source }) => source).join('\n');
  const known = digests.get(key);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const { target, source } of files) {
    const content = fs.readFileSync(source);
    hash.update(`${target}\n${content.length}\n`).update(content);
  }
  const digest = hash.digest('hex');
  digests.set(key, digest);
  return digest;
}
