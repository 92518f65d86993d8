/** Creates temporary folders, which are removed after the tests of the file. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-test-'));
  folders.push(folder);
  return folder;
}

const folders: string[] = [];
// The fuzzer imports this module without Jest, and creates no folders with it.
if ('afterAll' in globalThis) {
  afterAll(() => {
    for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
  });
}
