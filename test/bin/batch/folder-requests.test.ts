/** The requests that the command `batch` makes of a folder. test/end-to-end/batch-callers.test.ts runs it with files of tensors. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { requestsIn } from '../../../bin/batch/folder-requests';
import type { BatchSignature } from '../../../contract/batch';
import { temporaryFolder } from '../../support/temporary-folder';

async function requestsOf(files: Readonly<Record<string, string>>) {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), content);
  }
  const signature = { inputs: [], preprocess: true } as unknown as BatchSignature;
  const found = [];
  for await (const request of requestsIn(folder, signature, () => undefined)) found.push(request);
  return found;
}

it('names JSON for a preprocess function by its file, unless it has an id of its own', async () => {
  expect(await requestsOf({ 'b.json': '{"v": 1}', 'a/c.json': '{"id": "mine"}', '.hidden': 'x' })).toEqual([
    { id: 'mine' },
    ['b.json', { v: 1 }],
  ]);
});

it.each([
  [{ 'a.txt': '{}' }, /a\.txt' of --inputs must be a JSON object, .* got another file: pass a folder/],
  [{ 'a.json': '[1]' }, /a\.json' of --inputs must be a JSON object, .* got something else/],
  [{ 'a.json': '{' }, /a\.json' of --inputs must be a JSON object, .* got something else/],
  [{ 'a.json': JSON.stringify({ x: 'x'.repeat(92_160) }) }, /a\.json' must have at most 92160 bytes/],
  [{ 'a.json': '{"id": null}' }, /a\.json' of --inputs must be .* whose id is a text or a number, got null/],
  [{ '.hidden': 'x' }, /--inputs must be a folder with files, got none/],
])('refuses %j', async (files, message) => {
  await expect(requestsOf(files as Record<string, string>)).rejects.toThrow(message);
});
