/** Starts the demo as a user does: it synthesizes, runs in the local cloud and compares with the unsliced model. */
import type { SpawnSyncReturns } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { builtFile } from '../../lib/host/package-files';

function demo(...flags: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [builtFile('examples/ocr/demo.js'), ...flags], { encoding: 'utf8' });
}

test('reads the line with the same bits as the unsliced model', () => {
  const { stdout, stderr, status } = demo('--slices', '3');
  expect(`${stdout}${stderr}`).toContain('\ntext        Sliced inference reads this line\n');
  expect(stdout).toMatch(/\nThe [\d,]+ values of the sliced output are identical to the unsliced model's/);
  expect(stdout.match(/^(\d|whole model) /gm)).toEqual(['0 ', '1 ', '2 ', 'whole model ']);
  expect(status).toBe(0);
});

test.each([
  [
    ['--slices', '0'],
    "error: option '--slices <n>' argument '0' is invalid. it must be a whole number above 0.\n",
  ],
  [['--slices', '9999'], /^error: the model can be cut into at most \d+ slices, got 9999 slices.*\n$/],
  [
    ['--image', '/nowhere.png'],
    /^error: picture '\/nowhere\.png' must be a readable PNG, JPEG or WebP, got: .*\n$/,
  ],
])('%j ends with one line that says why', (flags, message) => {
  const { stderr, status } = demo(...flags);
  expect(stderr).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  expect(status).toBe(2);
});
