/** The tests that run the built programs refuse old ones. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { refuseStaleBundles } from '../support/jest/stale-bundles.cjs';
import { temporaryFolder } from '../support/temporary-folder';

const SOURCES = ['lib/index.ts', 'node_modules/package/index.js'];

/** A project whose files have these ages in seconds. */
function project(ages: Readonly<Record<string, number>>): string {
  const root = temporaryFolder();
  for (const [file, age] of Object.entries(ages)) {
    fs.mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), JSON.stringify({ 'dist/bundle/program.js': SOURCES }));
    const time = new Date(Date.now() - 1000 * age);
    fs.utimesSync(path.join(root, file), time, time);
  }
  return root;
}

const OTHERS = { 'node_modules/package/index.js': 0 };

test.each<[what: string, ages: Readonly<Record<string, number>>, refused: string | undefined]>([
  ['run a build after the last change', { ...OTHERS, 'lib/index.ts': 9, 'dist/bundle.json': 3 }, undefined],
  [
    'refuse a build before the last change',
    { ...OTHERS, 'lib/index.ts': 3, 'dist/bundle.json': 9 },
    'lib/index.ts',
  ],
  ['refuse a build of a source that is gone', { ...OTHERS, 'dist/bundle.json': 3 }, 'lib/index.ts'],
  ['refuse to run without a build', { 'lib/index.ts': 3 }, 'dist/bundle.json'],
])('tests of programs %s', (_, ages, refused) => {
  const root = project(ages);
  const check = (file: string) => () => {
    refuseStaleBundles(root, path.join(root, file));
  };
  expect(check('test/lib/plan/chain.test.ts')).not.toThrow();
  for (const file of ['test/end-to-end/batch.test.ts', 'test/bin/commands/plan.test.ts']) {
    if (refused === undefined) expect(check(file)).not.toThrow();
    else expect(check(file)).toThrow(`got an older build than ${refused}: run \`npm run build\``);
  }
});
