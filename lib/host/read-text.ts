/** Reads a file that a user names, whose kind and size are checked before it is read. */
import * as fs from 'node:fs';
import { SlicedInferenceError, quoted } from '../errors';
import { unreadablePath } from './foreign-path';

/**
 * @param what names the kind of the file in errors, such as `profile`
 * @param most the most bytes that it may have
 * @param advice what to pass instead of a folder
 * @throws SlicedInferenceError of one line if the file cannot be read or is too large
 */
export function readText(path: string, what: string, most: number, advice: string): string {
  const file = `${what} ${quoted(path)}`;
  const must = `${file} must be a readable file`;
  try {
    const stat = fs.statSync(path);
    // Reading a pipe would wait for its writer, and a device may have no end.
    if (!stat.isFile())
      throw new SlicedInferenceError(must, stat.isDirectory() ? 'a folder' : 'a pipe or a device', advice);
    if (stat.size > most)
      throw new SlicedInferenceError(
        `${file} must have at most ${most} bytes`,
        `${stat.size} bytes`,
        'check the path',
      );
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof SlicedInferenceError) throw error;
    const { got, advice: other } = unreadablePath(path, error);
    throw new SlicedInferenceError(must, got, other);
  }
}
