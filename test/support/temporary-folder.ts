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

/** A folder that the test files of a Jest worker share. It is removed after all tests. */
export function sharedFolder(): string {
  const { SLICED_INFERENCE_TEST_SHARED: root, JEST_WORKER_ID: worker = '1' } = process.env;
  if (root === undefined) return temporaryFolder();
  const folder = path.join(root, worker);
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}
