import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Stack, App, Stage } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Slicing } from '../../../lib';
import { builtFile } from '../../../lib/host/package-files';
import { addPipeline, newStack, shortTemplate } from '../../support/pipeline-stack';

interface FileAsset {
  readonly source: { readonly path: string; readonly packaging: string };
}

/** Returns the folders of the assets that are published as zip files, which are the code assets. */
function codeFolders(stack: Stack): string[] {
  const { directory } = (Stage.of(stack) ?? new App()).synth();
  const manifest = JSON.parse(
    fs.readFileSync(path.join(directory, `${stack.artifactId}.assets.json`), 'utf8'),
  ) as { files: Record<string, FileAsset> };
  return Object.values(manifest.files)
    .filter(({ source }) => source.packaging === 'zip')
    .map(({ source }) => path.join(directory, source.path));
}

function filesOf(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

describe('the code of the functions', () => {
  test('is one asset per stack, for any number of slices and pipelines', () => {
    const stack = newStack();
    addPipeline(stack, 'One', { slicing: Slicing.count(3) });
    addPipeline(stack, 'Two', { slicing: Slicing.count(2) });
    const codes = Object.values(shortTemplate(stack).template.findResources('AWS::Lambda::Function')).map(
      ({ Properties }) => JSON.stringify((Properties as { Code: unknown }).Code),
    );
    expect(codes).toHaveLength(5);
    expect(new Set(codes).size).toBe(1);
    expect(codeFolders(stack)).toHaveLength(1);
  });

  test('is one asset per architecture', () => {
    const stack = newStack();
    addPipeline(stack, 'One');
    addPipeline(stack, 'Two', { architecture: lambda.Architecture.ARM_64 });
    expect(codeFolders(stack)).toHaveLength(2);
  });

  test('is the same asset in two stacks of an app', () => {
    const [one, two] = [newStack(), newStack()].map((stack) => {
      addPipeline(stack, 'Pipeline');
      return codeFolders(stack);
    });
    expect(one).toEqual(two);
  });

  test.each([
    ['x64', lambda.Architecture.X86_64],
    ['arm64', lambda.Architecture.ARM_64],
  ])('for %s contains the built handler and ONNX Runtime for that processor only', (cpu, architecture) => {
    const stack = newStack();
    addPipeline(stack, 'Pipeline', { architecture });
    const [folder] = codeFolders(stack);
    const files = filesOf(folder);
    expect(files.filter((file) => !file.startsWith('node_modules/'))).toEqual(['index.js']);
    const handler = fs.readFileSync(path.join(folder, 'index.js'));
    expect(handler.equals(fs.readFileSync(builtFile('bundle/handler.js')))).toBe(true);
    const native = `node_modules/onnxruntime-node/bin/napi-v6/linux/${cpu}`;
    expect(files.filter((file) => file.includes('/bin/')).map((file) => path.dirname(file))).toEqual([
      native,
      native,
    ]);
    expect(files).toContain('node_modules/onnxruntime-node/dist/index.js');
    expect(files).toContain('node_modules/onnxruntime-common/dist/cjs/index.js');
    expect(files.filter((file) => /\.(d\.ts|map)$/.test(file))).toEqual([]);
  });

  test('is smaller than 60 MB', () => {
    const stack = newStack();
    addPipeline(stack, 'Pipeline');
    const [folder] = codeFolders(stack);
    const bytes = filesOf(folder).reduce((sum, file) => sum + fs.statSync(path.join(folder, file)).size, 0);
    expect(bytes).toBeLessThan(60e6);
  });

  test('requires a built package', () => {
    expect(() => builtFile('bundle/missing.js')).toThrow(
      /^cdk-sliced-inference must be built, got no file .*missing\.js: run `npm run build` in its folder$/,
    );
  });
});
