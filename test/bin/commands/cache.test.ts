import * as fs from 'node:fs';
import * as path from 'node:path';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { refuse, succeed, succeedWithJson } from '../../support/run-cli';

describe('cache clear', () => {
  it('removes all cached files and prints their size', async () => {
    const folder = temporaryFolder();
    const env = { SLICED_INFERENCE_CACHE: folder };
    await succeed(['inspect', saveModel(mlp(2))], { env });
    fs.writeFileSync(path.join(folder, 'mine'), '');
    expect(await succeed(['cache', 'clear'], { env })).toMatch(/^removed [\d.]+(B|KB) from \S+\n$/);
    expect(fs.readdirSync(folder)).toEqual(['mine']);
    expect(await succeed(['cache', 'clear'], { env })).toBe(`${folder} holds no cached files\n`);
    expect(await succeedWithJson(['cache', 'clear'], { env })).toEqual({ folder, bytes: 0 });
  });

  it('refuses a cache that is not a folder', async () => {
    const file = path.join(temporaryFolder(), 'cache');
    fs.writeFileSync(file, '');
    expect(await refuse(['cache', 'clear'], { env: { SLICED_INFERENCE_CACHE: file } })).toBe(
      `the cache '${file}' must be a folder that can be written, got a file in the way: remove it yourself, or set SLICED_INFERENCE_CACHE to another folder`,
    );
  });

  it('does nothing when the cache is switched off', async () => {
    const env = { SLICED_INFERENCE_CACHE: '' };
    await succeed(['inspect', saveModel(mlp(1))], { env });
    expect(await succeed(['cache', 'clear'], { env })).toBe('the cache is switched off\n');
  });

  it('refuses unknown commands and options', async () => {
    expect(await refuse(['cache', 'empty'])).toContain("unknown command 'empty'");
    expect(await refuse(['cache', 'clear', '--all'])).toContain("unknown option '--all'");
  });
});

describe('inspect', () => {
  (process.platform === 'linux' ? it : it.skip)(
    'works without a cache when its folder cannot be created',
    async () => {
      // In /proc, creating a folder fails in a way that Node.js has no error code for.
      await succeed(['inspect', saveModel(mlp(1))], { env: { SLICED_INFERENCE_CACHE: '/proc/cache' } });
    },
  );
});
