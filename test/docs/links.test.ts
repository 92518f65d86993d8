/** Links, anchors, paths and commands in the documents. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { brokenLinks, DOCUMENTS, README, ROOT, documentNamed } from '../support/documents';

const COMMENT = /\/\*\*?\s[\s\S]*?\*\/|(?<=^|\s)\/\/ .*$/gm;

/** Whether `name` is a path from the repository, from the top folder of `file` (such as `lib`), or from its own folder. */
function isSourceFile(name: string, file: string): boolean {
  const [part] = file.split('/');
  return ['', part, path.posix.dirname(file)].some((base) => fs.existsSync(path.join(ROOT, base, name)));
}

test.each(DOCUMENTS.map((document) => [document.file, document] as const))(
  '%s links to files and headings that exist',
  (_, document) => {
    expect(brokenLinks(document)).toEqual([]);
  },
);

const folders = 'bin lib lambda local client contract bench examples test'.split(' ');
const sources = folders.flatMap((folder) =>
  fs
    .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .map((name) => {
      const file = path.posix.join(folder, name.split(path.sep).join('/'));
      return { file, text: fs.readFileSync(path.join(ROOT, file), 'utf8') };
    }),
);

test('the sources name guides that exist', () => {
  const named = sources
    .filter(({ file }) => !file.startsWith('test/'))
    .flatMap(({ text }) => text.match(/(?<![\w/-])docs\/[\w-]+\.md/g) ?? []);
  expect(named).toContain('docs/large-models.md');
  expect(named.filter((name) => !fs.existsSync(path.join(ROOT, name)))).toEqual([]);
});

test('the sources name source files that exist in their comments', () => {
  const named = sources.flatMap(({ file, text }) =>
    (text.match(COMMENT) ?? [])
      .flatMap((comment) => comment.match(/(?<![\w./-])[\w./-]+\.ts\b/g) ?? [])
      .map((name) => ({ file, name })),
  );
  expect(named).toContainEqual({ file: 'lib/dataflow/dataflow.ts', name: 'casts.ts' });
  expect(named.filter(({ file, name }) => !isSourceFile(name, file))).toEqual([]);
});

test('README.md has at most 200 lines', () => {
  expect(README.text.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
});

test('README.md links to every guide', () => {
  const guides = DOCUMENTS.map(({ file }) => file).filter((file) => file.startsWith('docs/'));
  expect(README.links).toEqual(expect.arrayContaining(guides));
});

test('ARCHITECTURE.md and CONTRIBUTING.md name paths that exist', () => {
  const paths = ['ARCHITECTURE.md', 'CONTRIBUTING.md']
    .flatMap((file) => [...documentNamed(file).prose.matchAll(/`([\w./-]+)`/g)].map(([, name]) => name))
    .filter((name) => /^(lib|lambda|local|client|contract|bin|bench|test|docs|examples)\//.test(name));
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((name) => !fs.existsSync(path.join(ROOT, name)))).toEqual([]);
});

test('no command has a comment, whose words interactive zsh would pass to the command', () => {
  const commented = DOCUMENTS.flatMap((document) => [
    ...document.codeBlocks('sh').map(({ text }) => text),
    ...document.codeBlocks('console').flatMap(({ text }) => text.match(/^\$ .+$/gm) ?? []),
  ])
    .map((commands) => commands.replaceAll(/'[^']*'|"[^"]*"/g, ''))
    .flatMap((commands) => commands.match(/^(?:.*\s)?#.*$/gm) ?? []);
  expect(commented).toEqual([]);
});
