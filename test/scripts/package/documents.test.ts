/** The documents as they are in the package and in the packages of other languages. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Document, ROOT } from '../../support/documents';
import { temporaryFolder } from '../../support/temporary-folder';

const REPOSITORY = 'https://github.com/cdk-sliced-inference/cdk-sliced-inference/blob/main/';
const PICTURES = 'https://raw.githubusercontent.com/cdk-sliced-inference/cdk-sliced-inference/main/';

/** Runs one of the functions of scripts/package/stage.mjs, which Jest cannot import. */
function written(name: 'copyDocuments' | 'writeAbsoluteReadme'): Document[] {
  const folder = temporaryFolder();
  const module = pathToFileURL(path.join(ROOT, 'scripts/package/stage.mjs')).href;
  const call = `import { ${name} } from ${JSON.stringify(module)}; ${name}(...process.argv.slice(1));`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', call, folder]);
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => new Document(file.split(path.sep).join('/'), folder));
}

function isRelative(target: string): boolean {
  return !/^[a-z]+:/.test(target);
}

/** The targets of links and pictures that are files of the repository, by their addresses. */
function repositoryFiles(document: Document): string[] {
  return document.links
    .filter((target) => target.startsWith(REPOSITORY) || target.startsWith(PICTURES))
    .map((target) => target.replace(REPOSITORY, '').replace(PICTURES, '').split('#')[0]);
}

describe('the documents of the package', () => {
  const documents = written('copyDocuments');
  const [{ root }] = documents;

  test('are the README, the architecture, the changelog and all guides', () => {
    const files = documents.map(({ file }) => file);
    expect(files).toEqual(
      expect.arrayContaining([
        'README.md',
        'ARCHITECTURE.md',
        'CHANGELOG.md',
        'docs/api/cdk-sliced-inference/client.md',
      ]),
    );
    expect(files).not.toContain('CONTRIBUTING.md');
    expect(files.length).toBeGreaterThan(12);
  });

  test('have relative links to files and headings of the package alone', () => {
    const broken = documents.flatMap((document) =>
      document.links.filter(isRelative).filter((target) => {
        const [name, anchor] = target.split('#');
        const file = name === '' ? document.file : path.posix.join(path.posix.dirname(document.file), name);
        if (!fs.existsSync(path.join(root, file))) return true;
        return target.includes('#') && !new Document(file, root).anchors.has(anchor);
      }),
    );
    expect(broken).toEqual([]);
  });

  test('link to files of the repository that exist and do not ship', () => {
    const files = documents.flatMap(repositoryFiles);
    expect(files).toContain('examples/README.md');
    expect(files.filter((file) => !fs.existsSync(path.join(ROOT, file)))).toEqual([]);
    expect(files.filter((file) => fs.existsSync(path.join(root, file)))).toEqual([]);
  });

  test('keep code as it is', () => {
    const README = documents.find(({ file }) => file === 'README.md');
    expect(README?.codeBlocks('ts')).toEqual(new Document('README.md').codeBlocks('ts'));
  });
});

test('the README of other languages has absolute links to files that exist, and its picture from the address of raw files', () => {
  const [readme] = written('writeAbsoluteReadme');
  expect(readme.links.filter(isRelative)).toEqual([]);
  const files = repositoryFiles(readme);
  expect(files).toEqual(expect.arrayContaining(['docs/costs.md', 'CONTRIBUTING.md', 'README.md']));
  expect(files.filter((file) => !fs.existsSync(path.join(ROOT, file)))).toEqual([]);
  expect(readme.text).toContain(`](${PICTURES}docs/pipeline.svg)`);
});
