/** Finds the onnxruntime-node package that this library runs at synth time and deploys with the functions. */
import * as fs from 'node:fs';
import * as path from 'node:path';

/** The package's folder. */
export function onnxRuntimeFolder(): string {
  return path.dirname(require.resolve('onnxruntime-node/package.json'));
}

/** The folder of onnxruntime-common, the only package that onnxruntime-node needs at run time. */
export function onnxRuntimeCommonFolder(): string {
  const entry = require.resolve('onnxruntime-common', { paths: [onnxRuntimeFolder()] });
  const marker = `${path.sep}onnxruntime-common${path.sep}`;
  return entry.slice(0, entry.lastIndexOf(marker) + marker.length - 1);
}

/** The version of ONNX Runtime, such as `1.30.0`. */
export function onnxRuntimeVersion(): string {
  const manifest = fs.readFileSync(path.join(onnxRuntimeFolder(), 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
