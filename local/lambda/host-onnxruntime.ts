/**
 * Adds ONNX Runtime's library for this machine to a function's code. The code is built for Lambda's Linux. On macOS or
 * Windows, the library is copied from the package that is installed here, if it has the same version.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { unsupportedPlatform, type Platform, thisMachine } from '../../lib/host/onnxruntime';
import { LocalCloudError } from '../local-cloud-error';

export function addHostOnnxRuntime(code: string, machine: Platform = thisMachine()): void {
  const shipped = path.join(code, 'node_modules', 'onnxruntime-node');
  if (!fs.existsSync(shipped)) return;
  // Alpine Linux finds the library for Lambda's Linux, and cannot load it.
  const unsupported = unsupportedPlatform(machine);
  if (unsupported !== undefined) {
    throw new LocalCloudError(
      `onnxruntime-node has no library for this machine, got ${unsupported}: run on Linux with glibc, on Windows with an x64 processor, or on an Apple silicon Mac`,
    );
  }
  const library = path.join('bin', 'napi-v6', machine.platform, machine.arch);
  if (fs.existsSync(path.join(shipped, library))) return;
  const installed = path.dirname(require.resolve('onnxruntime-node/package.json'));
  if (versionOf(installed) !== versionOf(shipped)) {
    throw new LocalCloudError(
      `the functions run onnxruntime-node ${versionOf(shipped)}, got ${versionOf(installed)} installed here: ` +
        'synthesize the assembly again',
    );
  }
  fs.cpSync(path.join(installed, library), path.join(shipped, library), { recursive: true });
}

function versionOf(folder: string): string {
  return (JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string })
    .version;
}
