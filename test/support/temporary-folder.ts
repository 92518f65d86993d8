/** A folder for one test file, removed when its tests are done. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'local-test-'));
  afterAll(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
