/** Starts the demo with other arguments than those of the README, which `npm run check:readme` follows. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import sharp from 'sharp';
import { builtFile } from '../../../lib/host/packages';
import { temporaryFolder } from '../../support/model-builder';

function demo(...flags: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [builtFile('examples/ocr/demo.js'), ...flags], { encoding: 'utf8' });
}

test('reads a photo that is too large for a request', async () => {
  const photo = path.join(temporaryFolder(), 'large.png');
  const receipt = path.join(__dirname, '../../../examples/ocr/receipt.jpg');
  // The compression of level 0 only stores the pixels.
  await sharp(receipt).png({ compressionLevel: 0 }).toFile(photo);
  expect(fs.statSync(photo).size).toBeGreaterThan(256 * 1024);
  const { stdout, stderr, status } = demo('--slices', '2', '--photo', photo);
  expect(stdout).toMatch(/\nTotal amount 7\.40 +\d\d\.\d %\n/);
  expect(stdout).toMatch(/ values of both sliced models are identical to /);
  expect([stderr, status]).toEqual(['', 0]);
});

test.each([
  [['--slices', '0'], "error: --slices must be a whole number above 0, got '0': correct it\n"],
  [['--photo', '/nowhere.png'], /^error: the photo '\/nowhere\.png' must be a file, got none: .*\n$/],
])('%j ends with one line that says why', (flags, message) => {
  const { stderr, status } = demo(...flags);
  expect(stderr).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  expect(status).toBe(2);
});
