/** The documents and the package.json as they are in the package and in the packages of other languages. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { brokenLinks, Document, ROOT } from '../../support/documents';
import { temporaryFolder } from '../../support/temporary-folder';

const REPOSITORY = 'https://github.com/cdk-sliced-inference/cdk-sliced-inference/blob/main/';
const PICTURES = 'https://raw.githubusercontent.com/cdk-sliced-inference/cdk-sliced-inference/main/';

/** Runs code with the functions of scripts/package/stage.mjs, which Jest cannot import. */
function staged(code: string, ...args: readonly string[]): string {
  const module = pathToFileURL(path.join(ROOT, 'scripts/package/stage.mjs')).href;
  const whole = `import * as stage from ${JSON.stringify(module)}; ${code}`;
  const options = ['--input-type=module', '--eval', whole, ...args];
  return execFileSync(process.execPath, options, { cwd: ROOT, encoding: 'utf8' });
}

function written(name: 'copyDocuments' | 'writeAbsoluteReadme'): Document[] {
  const folder = temporaryFolder();
  staged(`stage.${name}(process.argv[1])`, folder);
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => new Document(file.split(path.sep).join('/'), folder));
}

/** The targets of links and pictures that are files of the repository, by their addresses. */
function repositoryFiles(document: Document): string[] {
  return document.links
    .filter((target) => target.startsWith(REPOSITORY) || target.startsWith(PICTURES))
    .map((target) => target.replace(REPOSITORY, '').replace(PICTURES, '').split('#')[0]);
}

test('the documents of the package link to each other, and to files of the repository that do not ship', () => {
  const documents = written('copyDocuments');
  const files = documents.map(({ file }) => file);
  const shipped = ['README.md', 'ARCHITECTURE.md', 'docs/api/cdk-sliced-inference/client.md'];
  expect(files).toEqual(expect.arrayContaining(shipped));
  expect(files).not.toContain('CONTRIBUTING.md');
  expect(documents.flatMap(brokenLinks)).toEqual([]);
  const [{ root }] = documents;
  const linked = documents.flatMap(repositoryFiles);
  expect(linked).toContain('examples/README.md');
  expect(linked.filter((file) => !fs.existsSync(path.join(ROOT, file)))).toEqual([]);
  expect(linked.filter((file) => fs.existsSync(path.join(root, file)))).toEqual([]);
  const [readme] = documents.filter(({ file }) => file === 'README.md');
  expect(readme.codeBlocks('ts')).toEqual(new Document('README.md').codeBlocks('ts'));
});

test('the README of other languages has absolute links to files that exist, and its picture from the address of raw files', () => {
  const [readme] = written('writeAbsoluteReadme');
  expect(readme.links.filter((target) => !/^[a-z]+:/.test(target))).toEqual([]);
  const files = repositoryFiles(readme);
  expect(files).toEqual(expect.arrayContaining(['docs/costs.md', 'CONTRIBUTING.md', 'README.md']));
  expect(files.filter((file) => !fs.existsSync(path.join(ROOT, file)))).toEqual([]);
  expect(readme.text).toContain(`](${PICTURES}docs/pipeline.svg)`);
});

test('the published package.json has nothing for development, and the SDK of the client as optional peers', () => {
  const manifest = JSON.parse(
    staged(`import fs from 'node:fs';
    console.log(JSON.stringify(stage.publishedManifest(JSON.parse(fs.readFileSync('package.json', 'utf8')))));`),
  ) as Readonly<Record<string, object>>;
  for (const field of ['name', 'exports', 'jsii', 'bundledDependencies'])
    expect(manifest).toHaveProperty(field);
  for (const field of ['scripts', 'devDependencies', 'publishConfig'])
    expect(manifest).not.toHaveProperty(field);
  // jsii's tools would look for the jsii assemblies of other peers.
  expect(Object.keys(manifest.peerDependencies).sort()).toEqual(['aws-cdk-lib', 'constructs']);
  const source = fs.readFileSync(path.join(ROOT, 'client/aws/sdk.ts'), 'utf8');
  const imported = [...source.matchAll(/await import\('(@aws-sdk\/[\w-]+)'\)/g)].map(([, name]) => name);
  expect(imported).toHaveLength(3);
  const optional = Object.fromEntries(imported.map((name) => [name, { optional: true }]));
  expect(manifest.peerDependenciesMeta).toEqual(optional);
});
