/** The code asset of the slice functions. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type App, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Slicing } from '../../../lib';
import { onnxRuntimeFiles } from '../../../lib/aws/runtime-code';
import { builtFile } from '../../../lib/host/packages';
import { temporaryFolder } from '../../support/model-builder';
import { addPipeline, errorOf, newApp } from '../../support/pipeline-stack';

const [X86, ARM] = [lambda.Architecture.X86_64, lambda.Architecture.ARM_64];

function stackWith(app: App, id: string, architectures: readonly lambda.Architecture[]): Stack {
  const stack = new Stack(app, id);
  for (const [index, architecture] of architectures.entries())
    addPipeline(stack, `Pipeline${index}`, { architecture, slicing: Slicing.count(2) });
  return stack;
}

/** The folders of a stack's assets that are published as zip files, which are the code assets. */
function codeFolders(app: App, { artifactId }: Stack): string[] {
  const { directory } = app.synth();
  const manifest = fs.readFileSync(path.join(directory, `${artifactId}.assets.json`), 'utf8');
  const { files } = JSON.parse(manifest) as {
    files: Record<string, { source: { path: string; packaging: string } }>;
  };
  return Object.values(files)
    .filter(({ source }) => source.packaging === 'zip')
    .map(({ source }) => path.join(directory, source.path));
}

function filesOf(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

test('the code is one asset for each architecture, for all slices, pipelines and stacks', () => {
  const app = newApp();
  const [one, both] = [stackWith(app, 'One', [X86, X86]), stackWith(app, 'Both', [X86, ARM])];
  const [x86, ...others] = codeFolders(app, one);
  expect(others).toEqual([]);
  const folders = codeFolders(app, both);
  expect(folders).toHaveLength(2);
  expect(folders).toContain(x86);
  const arm64 = folders.find((other) => other !== x86) ?? '';
  for (const [cpu, folder] of Object.entries({ x64: x86, arm64 })) {
    const files = filesOf(folder);
    const own = files.filter((file) => !file.startsWith('node_modules/')).sort();
    expect(own).toEqual(['hash-thread.js', 'index.js', 'provisioned.mjs']);
    const handler = fs.readFileSync(path.join(folder, 'index.js'));
    expect(handler.equals(fs.readFileSync(builtFile('bundle/handler.js')))).toBe(true);
    const native = `node_modules/onnxruntime-node/bin/napi-v6/linux/${cpu}`;
    const binaries = files.filter((file) => file.includes('/bin/')).map((file) => path.dirname(file));
    expect(binaries).toEqual([native, native]);
    expect(files).toContain('node_modules/onnxruntime-node/dist/index.js');
    expect(files).toContain('node_modules/onnxruntime-common/dist/cjs/index.js');
    expect(files.filter((file) => /\.(d\.ts|map)$/.test(file))).toEqual([]);
    const bytes = files.reduce((sum, file) => sum + fs.statSync(path.join(folder, file)).size, 0);
    expect(bytes).toBeLessThan(60e6);
  }
});

test('code that is not built or lacks a library is refused', () => {
  expect(errorOf(() => builtFile('bundle/missing.js'))).toContain(
    'missing.js: run `npm run build` in its folder',
  );
  expect(errorOf(() => onnxRuntimeFiles(temporaryFolder(), 'x64'))).toContain(
    "got a package without 'bin/napi-v6/linux/x64/onnxruntime_binding.node': reinstall onnxruntime-node",
  );
});
