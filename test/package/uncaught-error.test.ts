/** Node.js prints the line in which an uncaught error was thrown, so the lines of the programs that ship are short. */
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { ROOT } from '../support/documents';

/** In characters. A minified bundle of one line has a hundred thousand and more. */
const LONGEST_LINE = 1000;

test.each([
  ['client.js', 'bundle.tensorFrom("float32", [2], new Float32Array(1))', 'RangeError: a tensor must have'],
  ['local.js', 'bundle.LocalCloud.start("/no/such/assembly")', 'LocalCloudError'],
])('an uncaught error of %s is a few short lines', (file, call, name) => {
  const bundle = path.join(ROOT, 'dist/bundle', file);
  const code = `const bundle = require(${JSON.stringify(bundle)}); ${call};`;
  const { status, stderr } = spawnSync(process.execPath, ['--eval', code], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain(name);
  // The line of the source comes first.
  expect(stderr.startsWith(`${bundle}:`)).toBe(true);
  expect(stderr.split('\n').filter((line) => line.length > LONGEST_LINE)).toEqual([]);
});
