/** The names, the package.json and the writing of an app, where the command cannot show them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { TEST_SCRIPT, VERSIONS, appManifest, libraryVersion } from '../../../bin/init/manifest';
import { appNames } from '../../../bin/init/app-model';
import { writeProject } from '../../../bin/init/write-project';
import { ROOT } from '../../support/documents';
import { temporaryFolder } from '../../support/temporary-folder';

test.each([
  ['dir/class.onnx', 'class', 'Class'],
  ['Bad -- name!!.ONNX', 'bad-name', 'BadName'],
  ['3d_unet.onnx', 'model-3d-unet', 'Model3dUnet'],
  ['モデル.onnx', 'model', 'Model'],
  ['test.onnx', 'model-test', 'ModelTest'],
  [`${'long-'.repeat(60)}.onnx`, 'long-'.repeat(8).slice(0, -1), 'Long'.repeat(8)],
])('%s names an app', (file, kebab, stack) => {
  expect(appNames(file)).toEqual({ file: kebab, module: kebab.replaceAll('-', '_'), stack });
});

test('the releases of an app are those that this repository tests', () => {
  const { devDependencies } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const own = Object.entries({ ...VERSIONS.dependencies, ...VERSIONS.devDependencies });
  for (const [name, version] of own)
    if (name in devDependencies) expect([name, version]).toEqual([name, `^${devDependencies[name]}`]);
});

test('a package.json keeps what it has, also its form, and gets what it lacks', () => {
  const folder = temporaryFolder();
  const text =
    '\uFEFF{\r\n\t"name": "mine",\r\n\t"scripts": { "test": "vitest" },\r\n\t"devDependencies": { "aws-cdk-lib": "~2.223.1", "constructs": "10.0.0" }\r\n}\r\n';
  fs.writeFileSync(path.join(folder, 'package.json'), text);
  const { text: merged, added } = appManifest(folder);
  expect(merged).toMatch(/^\{\r\n\t"name": "mine",\r\n\t"scripts"/);
  expect(JSON.parse(merged)).toMatchObject({
    scripts: { test: 'vitest' },
    dependencies: { 'cdk-sliced-inference': libraryVersion(folder) },
    devDependencies: { 'aws-cdk-lib': '~2.223.1', constructs: '10.0.0', jest: VERSIONS.devDependencies.jest },
  });
  expect(added).not.toContain(TEST_SCRIPT);
  expect(merged.match(/aws-cdk-lib/g)).toHaveLength(1);
});

test('a package.json of ES modules is refused, because Jest would not load the app', () => {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  expect(() => appManifest(folder)).toThrow('got "type": "module", with which Jest does not load the app: ');
});

test('the library comes from the tarball that the command was installed from', () => {
  const folder = temporaryFolder();
  const root = path.join(folder, 'cache/node_modules/cdk-sliced-inference');
  fs.mkdirSync(root, { recursive: true });
  const { version } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  const app = path.join(folder, 'app');
  expect(libraryVersion(app, root)).toBe(`^${version}`);
  const lockWith = (resolved: string) => {
    const packages = { 'node_modules/cdk-sliced-inference': { resolved } };
    fs.writeFileSync(path.join(root, '../.package-lock.json'), JSON.stringify({ packages }));
  };
  lockWith('file:../packed/library.tgz');
  expect(libraryVersion(app, root)).toBe('file:../packed/library.tgz');
  lockWith('https://registry.npmjs.org/library.tgz');
  expect(libraryVersion(app, root)).toBe(`^${version}`);
});

test('a file that cannot be written takes the others and new folders with it', async () => {
  const folder = temporaryFolder();
  const app = path.join(folder, 'new/app');
  await expect(writeProject(app, { 'a.ts': 'a', 'missing/b.ts': 'b' })).rejects.toThrow(
    /got no such file or folder for '.*b.ts': choose another folder$/,
  );
  expect(fs.readdirSync(folder)).toEqual([]);
});
