/**
 * Adds ONNX Runtime's library for this machine to a function's code. The code is built for Lambda's Linux. On macOS or
 * Windows, the library is copied from the package that is installed here, if it has the same version.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalCloudError } from '../basics/errors';

interface Platform {
  readonly platform: string;
  readonly arch: string;
}

/** @param code folder of a function's code; stays unchanged if it does not contain ONNX Runtime */
export function addHostOnnxRuntime(code: string, { platform, arch }: Platform = process): void {
  const shipped = path.join(code, 'node_modules', 'onnxruntime-node');
  const library = path.join('bin', 'napi-v6', platform, arch);
  if (!fs.existsSync(shipped) || fs.existsSync(path.join(shipped, library))) return;
  const installed = path.dirname(require.resolve('onnxruntime-node/package.json'));
  if (versionOf(installed) !== versionOf(shipped)) {
    throw new LocalCloudError(
      `the functions run onnxruntime-node ${versionOf(shipped)}, got ${versionOf(installed)} installed here: ` +
        'synthesize the assembly again',
    );
  }
  if (!fs.existsSync(path.join(installed, library))) {
    throw new LocalCloudError(
      `onnxruntime-node has no library for this machine, got ${platform} ${arch}: run on Linux, on Windows with an x64 processor, or on an Apple silicon Mac`,
    );
  }
  fs.cpSync(path.join(installed, library), path.join(shipped, library), { recursive: true });
}

function versionOf(folder: string): string {
  return (JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string })
    .version;
}
