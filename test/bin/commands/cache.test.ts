import * as fs from 'node:fs';
import * as path from 'node:path';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { succeed } from '../../support/run-cli';

describe('cache clear', () => {
  it('removes all cached files and prints their size', async () => {
    const folder = temporaryFolder();
    const env = { SLICED_INFERENCE_CACHE: folder };
    await succeed(['inspect', saveModel(mlp(2))], { env });
    fs.writeFileSync(path.join(folder, 'mine'), '');
    expect(await succeed(['cache', 'clear'], { env })).toMatch(/^removed [\d.]+ K?B from \S+\n$/);
    expect(fs.readdirSync(folder)).toEqual(['mine']);
    expect(await succeed(['cache', 'clear'], { env })).toBe(`${folder} holds no cached files\n`);
  });

  it('does nothing when the cache is switched off', async () => {
    const env = { SLICED_INFERENCE_CACHE: '' };
    await succeed(['inspect', saveModel(mlp(1))], { env });
    expect(await succeed(['cache', 'clear'], { env })).toBe('the cache is switched off\n');
  });
});
