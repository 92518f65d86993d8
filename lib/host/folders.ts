/** Creates folders and writes files so that nothing half-written stays. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as os from 'node:os';
import { randomBytes } from 'node:crypto';
import { SlicedInferenceError, quoted, systemReason } from '../errors';

/**
 * Does the same as `mkdirSync` with `recursive`, which in Node.js 20 never returns on a file system such as `/proc`: it
 * refuses a new folder with the error that the parent is missing.
 *
 * @param mode permissions of the folders that are created, as far as the process's umask allows them
 */
export function makeFolder(folder: string, mode = 0o777): void {
  if (fs.existsSync(folder)) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent, mode);
  try {
    fs.mkdirSync(folder, { mode });
  } catch (error) {
    // Another process may have created the folder in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Linux follows as many links: https://man7.org/linux/man-pages/man7/path_resolution.7.html */
const MOST_LINKS = 40;

/** The absolute path of a file behind symbolic links, also of one that does not exist yet. */
export function linkTarget(file: string): string {
  let target = path.resolve(file);
  for (let links = 0; links < MOST_LINKS && isLink(target); links++) {
    target = path.resolve(fs.realpathSync(path.dirname(target)), fs.readlinkSync(target));
  }
  return target;
}

/** What cannot be read is no link: the caller that opens the file says why. */
function isLink(file: string): boolean {
  try {
    return fs.lstatSync(file).isSymbolicLink();
  } catch {
    return false;
  }
}

/** Runs `use` with a new folder, and removes the folder when `use` returns or throws. */
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

/**
 * Runs `write`, which creates the file or folder `partial` and renames it. Removes `partial` if it still exists
 * afterwards, whether `write` returned or failed.
 *
 * @returns the result of `write`
 */
export function withPartial<Result>(partial: string, write: () => Result): Result {
  try {
    return write();
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
}

/** Writes a file or replaces it as a whole: other processes read the old content or the new one, never a mixture. */
export function replaceFile(file: string, content: string | Uint8Array): void {
  const partial = `${file}.${randomBytes(6).toString('hex')}`;
  withPartial(partial, () => {
    fs.writeFileSync(partial, content);
    fs.renameSync(partial, file);
  });
}
