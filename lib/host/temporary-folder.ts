/** Creates temporary folders and removes them. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { SlicedInferenceError, quoted, systemReason } from '../errors';

/**
 * Runs `use` with a new folder, and removes the folder when `use` returns or throws.
 *
 * @throws SlicedInferenceError when the folder cannot be created or written, for example on a full disk
 */
export function withTemporaryFolder<Result>(use: (folder: string) => Result): Result {
  let folder: string | undefined;
  try {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-'));
    return use(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new SlicedInferenceError(
      `the folder for temporary files ${quoted(os.tmpdir())} must be writable`,
      systemReason(error),
      'free some space, or set TMPDIR to another folder',
    );
  } finally {
    if (folder !== undefined) fs.rmSync(folder, { recursive: true, force: true });
  }
}
