/** Makes a folder with those above it. */
import * as fs from 'node:fs';
import * as path from 'node:path';

/**
 * As `mkdirSync` with `recursive`, which in Node.js 20 never returns where a file system takes no folders and says that
 * the one above is missing, such as `/proc`.
 */
export function makeFolder(folder: string): void {
  if (fs.existsSync(folder)) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
