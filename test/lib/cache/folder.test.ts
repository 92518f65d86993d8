/** The cache is private to its user. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { cacheFolder } from '../../../lib/cache/folder';
import { temporaryFolder } from '../../support/model-builder';

const modeOf = (folder: string): string => (fs.statSync(folder).mode & 0o777).toString(8);

const onPosix = process.platform === 'win32' ? describe.skip : describe;

// Windows has no such permissions.
onPosix('cacheFolder', () => {
  let parent: string;
  beforeEach(() => {
    parent = temporaryFolder();
    process.env.SLICED_INFERENCE_CACHE = path.join(parent, 'new', 'cache');
  });

  test('creates folders that only the user can enter', () => {
    const folder = cacheFolder('slices') ?? '';
    expect([folder, path.dirname(folder), path.join(parent, 'new')].map(modeOf)).toEqual(
      Array(3).fill('700'),
    );
  });

  test('closes an existing folder of the cache to others, and leaves the folder above it as it is', () => {
    const root = path.join(parent, 'shared');
    fs.mkdirSync(path.join(root, 'slices'), { recursive: true });
    fs.chmodSync(root, 0o755);
    fs.chmodSync(path.join(root, 'slices'), 0o777);
    process.env.SLICED_INFERENCE_CACHE = root;
    expect(modeOf(cacheFolder('slices') ?? '')).toBe('700');
    expect(modeOf(root)).toBe('755');
  });

  test('does not use a folder of another user', () => {
    const folder = cacheFolder('plans') ?? '';
    const user = jest
      .spyOn(process, 'getuid' as never)
      .mockReturnValue((fs.statSync(folder).uid + 1) as never);
    try {
      expect(cacheFolder('plans')).toBeUndefined();
    } finally {
      user.mockRestore();
    }
    expect(cacheFolder('plans')).toBe(folder);
  });
});
