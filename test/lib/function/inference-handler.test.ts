/** The user's own code inside a function: what is deployed, and what is refused. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { InferenceHandler } from '../../../lib';
import { errorOf } from '../../support/pipeline-stack';
import { temporaryFolder } from '../../support/temporary-folder';

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

function written(handler: InferenceHandler) {
  const code = handler._code('preprocess');
  const target = temporaryFolder();
  code.write(target);
  const files = fs
    .readdirSync(target, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile());
  return {
    ...code,
    target,
    files: files.map((file) => path.join(path.relative(target, file.parentPath), file.name)),
  };
}

test('a file is bundled with what it imports', () => {
  const folder = folderWith({
    'before.ts': `import { two } from './two'; export const handler = (x: number): number => x * two;`,
    'two.ts': 'export const two: number = 2;',
  });
  const { entry, target, files } = written(InferenceHandler.fromFile(path.join(folder, 'before.ts')));
  expect([entry, files]).toEqual(['preprocess/index.js#handler', ['preprocess/index.js']]);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the bundle is CommonJS
  const { handler } = require(path.join(target, 'preprocess/index.js')) as { handler: (x: number) => number };
  expect(handler(21)).toBe(42);
});

test('a folder is deployed with all its files', () => {
  const folder = folderWith({ 'lib/a.mjs': 'export const run = () => 1;', 'data/words.txt': 'a b' });
  const { entry, files } = written(InferenceHandler.fromFolder(folder, 'lib/a.run'));
  expect([entry, files.sort()]).toEqual([
    'preprocess/lib/a.mjs#run',
    ['preprocess/data/words.txt', 'preprocess/lib/a.mjs'],
  ]);
});

test('the digest is that of the content', () => {
  const digest = (text: string) =>
    InferenceHandler.fromFolder(folderWith({ 'index.js': text }))._code('preprocess').digest;
  expect(digest('exports.handler = 1')).toBe(digest('exports.handler = 1'));
  expect(digest('exports.handler = 1')).not.toBe(digest('exports.handler = 2'));
});

test('the code of a file is in its digest', () => {
  const digest = (text: string) => {
    const file = path.join(folderWith({ 'a.ts': text }), 'a.ts');
    return InferenceHandler.fromFile(file)._code('preprocess').digest;
  };
  expect(digest('export const handler = () => 1;')).not.toBe(digest('export const handler = () => 2;'));
});

const bundle = (text: string) => {
  const handler = InferenceHandler.fromFile(path.join(folderWith({ 'a.ts': text }), 'a.ts'));
  handler._code('preprocess');
  return handler;
};

test.each<[words: string, make: () => InferenceHandler]>([
  [
    "the file of a handler must be readable, got '/nowhere.ts': no such file or folder: correct its path",
    () => InferenceHandler.fromFile('/nowhere.ts'),
  ],
  [
    "must be TypeScript or JavaScript, got 'before.py': use a SlicedInferencePipeline, which calls a Lambda function in any language",
    () => InferenceHandler.fromFile('before.py'),
  ],
  ['must be TypeScript or JavaScript', () => InferenceHandler.fromFolder(folderWith({ 'index.py': '' }))],
  [
    "a handler must name a file of its folder and an export of the file, such as index.handler, got 'index.handler' of",
    () => InferenceHandler.fromFolder(folderWith({ 'other.js': '' })),
  ],
  [
    "got '../index.handler' of",
    () =>
      InferenceHandler.fromFolder(
        path.join(folderWith({ 'index.js': '', 'in/a.js': '' }), 'in'),
        '../index.handler',
      ),
  ],
  ["got 'index' of", () => InferenceHandler.fromFolder(folderWith({ 'index.js': '' }), 'index')],
  ['a handler must be bundled as CommonJS, got', () => bundle("import './missing';")],
  [
    '"import.meta" is not available with the "cjs" output format and will be empty: correct the file, or pass a folder to InferenceHandler.fromFolder',
    () => bundle('export const handler = () => import.meta.url;'),
  ],
])('refuses: %s', (words, make) => {
  expect(errorOf(make)).toContain(words);
});
