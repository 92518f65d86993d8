/** Reads a file that a user names, and says why one cannot be read. */
import { isUtf8 } from 'node:buffer';
import * as fs from 'node:fs';
import { SlicedInferenceError, quoted, systemReason } from '../errors';

/**
 * @param what names the kind of the file in errors, such as `plan`
 * @param most the most bytes that it may have
 * @param advice what to pass instead of a folder
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
    const bytes = fs.readFileSync(path);
    // Editors on Windows begin files with a byte order mark.
    if (isUtf8(bytes) && !bytes.includes(0)) return bytes.toString().replace(/^\uFEFF/, '');
    throw new SlicedInferenceError(`${file} must be text in UTF-8`, 'other bytes', 'convert it to UTF-8');
  } catch (error) {
    if (error instanceof SlicedInferenceError) throw error;
    const { got, advice: other } = unreadablePath(path, error);
    throw new SlicedInferenceError(must, got, other);
  }
}

/** What a path is instead, and what to do, for an error. */
export interface PathFault {
  readonly got: string;
  readonly advice: string;
}

/** Node.js refuses a path with a NUL character before the system sees it. */
const MISSING: readonly unknown[] = ['ENOENT', 'ENOTDIR', 'ERR_INVALID_ARG_VALUE'];

/** Says why a file cannot be read. @param error what the system call threw @param inBucket advice for an S3 address */
export function unreadablePath(path: string, error: unknown, inBucket?: string): PathFault {
  const isMissing = MISSING.includes((error as NodeJS.ErrnoException).code);
  const foreign = isMissing ? foreignPath(path, inBucket) : undefined;
  return foreign ?? { got: systemReason(error), advice: 'check the path' };
}

/**
 * Ask only if nothing exists at the path, because a folder may have the name `~`. `path.join` and Python's `Path` leave one slash of
 * `s3://`, so one is enough here.
 *
 * @param inBucket advice for an S3 address
 */
export function foreignPath(
  path: string,
  inBucket = 'download it and pass the path of the copy',
): PathFault | undefined {
  if (path === '') return { got: 'an empty string', advice: 'pass its path on this machine' };
  if (path.includes('\0')) return { got: 'a path with a NUL character', advice: 'remove the character' };
  if (/^s3:\//i.test(path)) return { got: 'an S3 address', advice: inBucket };
  // The drive of a Windows path has one letter.
  if (/^[a-z][a-z0-9+.-]+:\//i.test(path)) return { got: 'a URL', advice: 'pass the path of a file' };
  if (!/(^|[\\/])~([\\/]|$)|^~\w/.test(path)) return undefined;
  const inCode = '(in code, use os.homedir() or Path.home())';
  return {
    got: 'a path with ~',
    advice: `pass the full path, because only a shell expands ~ ${inCode}`,
  };
}
