/** Writes files and folders under a temporary name first, so that the final name never refers to half of one. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';

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
