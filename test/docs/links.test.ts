/** Links, anchors and paths in the documents. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { DOCUMENTS, Document, README, ROOT, documentNamed } from '../support/documents';

function brokenLinks(document: Document): string[] {
  return document.links.filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [name] = target.split('#');
    const anchor = target.split('#').at(1);
    const file = name === '' ? document.file : path.posix.join(path.posix.dirname(document.file), name);
    if (!fs.existsSync(path.join(ROOT, file))) return true;
    return anchor !== undefined && !new Document(file).anchors.has(anchor);
  });
}

const COMMENT = /\/\*\*?\s[\s\S]*?\*\/|(?<=^|\s)\/\/ .*$/gm;

/** Whether `name` is a path from the repository, from the top folder of `file` (such as `lib`), or from its own folder. */
function isSourceFile(name: string, file: string): boolean {
  const [part] = file.split('/');
  return ['', part, path.posix.dirname(file)].some((base) => fs.existsSync(path.join(ROOT, base, name)));
}

describe.each(DOCUMENTS.map((document) => [document.file, document] as const))('%s', (_, document) => {
  test('links to files and headings that exist', () => {
    expect(brokenLinks(document)).toEqual([]);
  });
});

describe('the sources', () => {
  const sources = [
    'bin',
    'lib',
    'lambda',
    'local',
    'client',
    'contract',
    'bench',
    'examples',
    'test',
  ].flatMap((folder) =>
    fs
      .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .map((name) => {
        const file = path.posix.join(folder, name.split(path.sep).join('/'));
        return { file, text: fs.readFileSync(path.join(ROOT, file), 'utf8') };
      }),
  );

  test('name guides that exist', () => {
    const named = sources
      .filter(({ file }) => !file.startsWith('test/'))
      .flatMap(({ text }) => text.match(/(?<![\w/-])docs\/[\w-]+\.md/g) ?? []);
    expect(named).toContain('docs/large-models.md');
    expect(named.filter((name) => !fs.existsSync(path.join(ROOT, name)))).toEqual([]);
  });

  test('name source files that exist in their comments', () => {
    const named = sources.flatMap(({ file, text }) =>
      (text.match(COMMENT) ?? [])
        .flatMap((comment) => comment.match(/(?<![\w./-])[\w./-]+\.ts\b/g) ?? [])
        .map((name) => ({ file, name })),
    );
    expect(named).toContainEqual({ file: 'lib/dataflow/dataflow.ts', name: 'casts.ts' });
    expect(named.filter(({ file, name }) => !isSourceFile(name, file))).toEqual([]);
  });
});

test('README.md has at most 200 lines', () => {
  expect(README.text.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
});

test('README.md shows the commands that set up a clone as blocks', () => {
  const blocks = README.codeBlocks('sh').map(({ code }) => code);
  for (const command of ['demo', 'test']) {
    const pattern = new RegExp(`^npm ci && npm (run )?${command} +#`);
    expect(blocks).toContainEqual(expect.stringMatching(pattern));
  }
});

test('README.md links to every guide', () => {
  const guides = DOCUMENTS.map(({ file }) => file).filter((file) => file.startsWith('docs/'));
  expect(README.links).toEqual(expect.arrayContaining(guides));
});

test('README.md says that the library was never run on AWS', () => {
  expect(README.text).toMatch(/never on AWS/i);
});

test('ARCHITECTURE.md and CONTRIBUTING.md name paths that exist', () => {
  const paths = ['ARCHITECTURE.md', 'CONTRIBUTING.md']
    .flatMap((file) => [...documentNamed(file).prose.matchAll(/`([\w./-]+)`/g)].map(([, name]) => name))
    .filter((name) => /^(lib|lambda|local|client|contract|bin|bench|test|docs|examples)\//.test(name));
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((name) => !fs.existsSync(path.join(ROOT, name)))).toEqual([]);
});
