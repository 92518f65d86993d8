/**
 * The code asset of the slice functions: the bundled handler and ONNX Runtime for one architecture, built without
 * Docker.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { AssetHashType, DockerImage, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { type CodeFile, codeDigest, codeFiles } from './code-files';

export const HANDLER = 'index.handler';

/** CDK allows a code object in one stack only. Sharing it within the stack makes one asset for all functions. */
const codeByStack = new WeakMap<Stack, Map<string, lambda.Code>>();

export function runtimeCode(scope: Construct, architecture: lambda.Architecture): lambda.Code {
  const stack = Stack.of(scope);
  const shared = codeByStack.get(stack) ?? new Map<string, lambda.Code>();
  codeByStack.set(stack, shared);
  const known = shared.get(architecture.name);
  if (known) return known;
  const code = createCode(filesFor(architecture));
  shared.set(architecture.name, code);
  return code;
}

export function runtimeCodeDigest(architecture: lambda.Architecture): string {
  return codeDigest(filesFor(architecture));
}

function filesFor(architecture: lambda.Architecture): CodeFile[] {
  return codeFiles(architecture.name === lambda.Architecture.ARM_64.name ? 'arm64' : 'x64');
}

function createCode(files: readonly CodeFile[]): lambda.Code {
  return lambda.Code.fromAsset(path.dirname(files[0].source), {
    assetHash: codeDigest(files),
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
