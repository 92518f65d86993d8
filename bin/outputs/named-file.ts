/** Files that flags name: their checks before any work starts, and the one function that writes them. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';
import { linkTarget } from '../../lib/host/folders';
import { noteUnfinished } from '../process/unfinished';

/** Of a new file until it has those of the file that it replaces. */
const PRIVATE = 0o600;

/** @throws SlicedInferenceError for a file whose folder does not exist, or that cannot be written */
export function checkPlace(file: string, flag: string): void {
  if (file === '' || file === '-') {
    throw new SlicedInferenceError(
      `${flag} must name a file`,
      quoted(file),
      'pass a path; --json prints to standard output',
    );
  }
  try {
    if (!fs.statSync(path.dirname(file), { throwIfNoEntry: false })?.isDirectory()) {
      throw new SlicedInferenceError(`${flag} must be in an existing folder`, quoted(file), 'create it');
    }
    const found = fs.statSync(file, { throwIfNoEntry: false });
    if (found?.isDirectory()) {
      throw new SlicedInferenceError(`${flag} must name a file`, `the folder ${quoted(file)}`, 'rename it');
    }
    if (found) fs.accessSync(file, fs.constants.W_OK);
    // Only a regular file is replaced by another one in its folder.
    if (found?.isFile() !== false) fs.accessSync(path.dirname(linkTarget(file)), fs.constants.W_OK);
  } catch (error) {
    throw error instanceof SlicedInferenceError ? error : unwritable(flag, file, error);
  }
}

/**
 * Writes what a flag names. A regular file is replaced as a whole, with the permissions that it had: readers see the old content or the
 * new one. Anything else, such as a device or a pipe, stays, and gets the content. A symbolic link stays too: what it refers to is written.
 *
 * @param mode the permissions of a file that does not exist
 * @throws SlicedInferenceError if it cannot be written
 */
export async function writeNamedFile(
  file: string,
  flag: string,
  content: string | Uint8Array,
  mode?: number,
): Promise<void> {
  try {
    const found = fs.statSync(file, { throwIfNoEntry: false });
    if (found?.isFile() === false) await writeFile(file, content);
    else await replace(linkTarget(file), content, found?.mode, mode);
  } catch (error) {
    throw unwritable(flag, file, error);
  }
}

async function replace(
  target: string,
  content: string | Uint8Array,
  oldMode: number | undefined,
  newMode: number | undefined,
): Promise<void> {
  const partial = `${target}.${randomBytes(6).toString('hex')}`;
  noteUnfinished({ partial, parents: [] });
  try {
    await writeFile(partial, content, { flag: 'wx', mode: oldMode === undefined ? newMode : PRIVATE });
    // The permissions at its creation were subject to the umask.
    if (oldMode !== undefined) await chmod(partial, oldMode & 0o7777);
    await rename(partial, target);
  } finally {
    await rm(partial, { force: true });
  }
}

function unwritable(flag: string, file: string, error: unknown): SlicedInferenceError {
  return new SlicedInferenceError(
    `${flag} must name a file that can be written`,
    `${systemReason(error)} for ${quoted(file)}`,
    'choose another file',
  );
}
