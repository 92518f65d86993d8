/** Downloads of files with a second thread, by the built code: the thread is a file of its own. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PART_BYTES } from '../../../contract/object-reads';
import type { downloadVerified } from '../../../lambda/store/download';
import type { hashInThread } from '../../../lambda/store/file-hash';
import { builtFile } from '../../../lib/host/packages';
import { MemoryObjects } from '../../support/memory-objects';
import { temporaryFolder } from '../../support/temporary-folder';
import { sha256 } from '../../support/tiny-slice';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- the built module
const built = require(builtFile('lambda/store/download.js')) as {
  readonly downloadVerified: typeof downloadVerified;
};
// eslint-disable-next-line @typescript-eslint/no-require-imports -- the built module
const hashing = require(builtFile('lambda/store/file-hash.js')) as {
  readonly hashInThread: typeof hashInThread;
};

const OBJECT = { bucket: 'b', key: 'weights' };
const bytes = randomBytes(5 * PART_BYTES + 4321);

async function downloaded(expected: string, connectionsToBreak = 0) {
  const folder = temporaryFolder();
  const objects = new MemoryObjects();
  objects.put(OBJECT.key, bytes);
  objects.connectionsToBreak = connectionsToBreak;
  const path = join(folder, 'file');
  const problem: unknown = await built
    .downloadVerified(objects, OBJECT, expected, path, true)
    .catch((error: unknown) => error);
  return { path, problem, files: readdirSync(folder) };
}

test.each([0, 6])(
  'a file whose digest a thread computes is complete, after %s broken connections',
  async (broken) => {
    const { path, problem, files } = await downloaded(sha256(bytes), broken);
    expect(problem).toBeUndefined();
    expect(files).toEqual(['file']);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  },
);

test('a file with another digest is refused, and nothing of it stays', async () => {
  const wrong = sha256(Buffer.from('other'));
  const { problem, files } = await downloaded(wrong);
  expect(problem).toMatchObject({ name: 'WeightsCorrupt', details: { expected: wrong, got: sha256(bytes) } });
  expect(files).toEqual([]);
});

test('a failure of the thread is that of the digest', async () => {
  const missing = hashing.hashInThread(join(temporaryFolder(), 'missing'));
  await missing.add({ start: 0, end: 1 });
  await expect(missing.digest()).rejects.toThrow('ENOENT');
  await missing.close();
});
