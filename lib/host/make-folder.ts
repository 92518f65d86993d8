/** Creates a folder and its missing parents. */
import * as fs from 'node:fs';
import * as path from 'node:path';

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
