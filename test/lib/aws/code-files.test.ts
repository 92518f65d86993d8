import * as fs from 'node:fs';
import * as path from 'node:path';
import { codeDigest, codeFiles, onnxRuntimeFiles } from '../../../lib/aws/code-files';
import { temporaryFolder } from '../../support/model-builder';

/** Writes a package as in node_modules, with the given libraries in its folder for Linux on x64. */
function fakePackage(libraries: readonly string[]): string {
  const folder = temporaryFolder();
  const binaries = path.join(folder, 'bin/napi-v6/linux/x64');
  fs.mkdirSync(binaries, { recursive: true });
  fs.mkdirSync(path.join(folder, 'dist'));
  for (const file of ['package.json', 'dist/index.js', 'dist/index.d.ts'])
    fs.writeFileSync(path.join(folder, file), file);
  for (const library of libraries) fs.writeFileSync(path.join(binaries, library), library);
  return folder;
}

describe('onnxRuntimeFiles', () => {
  test('leaves out libraries that the install script has downloaded', () => {
    const folder = fakePackage([
      'onnxruntime_binding.node',
      'libonnxruntime.so.1',
      'libonnxruntime_providers_cuda.so',
    ]);
    expect(
      onnxRuntimeFiles(folder, 'x64').map(({ target }) =>
        target.replace('node_modules/onnxruntime-node/', ''),
      ),
    ).toEqual([
      'bin/napi-v6/linux/x64/libonnxruntime.so.1',
      'bin/napi-v6/linux/x64/onnxruntime_binding.node',
      'dist/index.js',
      'package.json',
    ]);
  });

  test('refuses a package without a library, and names the library', () => {
    expect(() => onnxRuntimeFiles(fakePackage(['onnxruntime_binding.node']), 'x64')).toThrow(
      "onnxruntime-node must contain its libraries for Linux on x64, got a package without 'bin/napi-v6/linux/x64/libonnxruntime.so.1': reinstall onnxruntime-node",
    );
  });
});

describe('codeDigest', () => {
  test('refuses files above the size that Lambda allows', () => {
    const large = path.join(temporaryFolder(), 'large');
    fs.writeFileSync(large, '');
    fs.truncateSync(large, 251 * 1024 * 1024);
    expect(() => codeDigest([{ target: 'large', source: large }])).toThrow(
      "the functions' code must have at most 262144000 bytes, got 263192576: reinstall onnxruntime-node",
    );
  });

  test.each(['x64', 'arm64'] as const)('accepts the files for Linux on %s', (cpu) => {
    expect(codeDigest(codeFiles(cpu))).toMatch(/^[0-9a-f]{64}$/);
  });
});
