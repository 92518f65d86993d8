/** Files that flags name: their checks before any work starts, and the one function that writes them. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { chmod, chown, rename, rm, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';
import { linkTarget } from '../../lib/host/folders';
import { noteUnfinished } from '../process/unfinished';

/** Of a new file until it has those of the file that it replaces. */
const PRIVATE = 0o600;

const STANDARD_STREAMS = [1, 2] as const;

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
    if (!isFolder(path.dirname(file))) {
      throw new SlicedInferenceError(
        `${flag} must be in an existing folder`,
        quoted(file),
        'create the folder or choose another',
      );
    }
    if (isFolder(file)) {
      throw new SlicedInferenceError(`${flag} must name a file`, `the folder ${quoted(file)}`, 'rename it');
    }
    tryToWrite(file);
  } catch (error) {
    throw error instanceof SlicedInferenceError ? error : unwritable(flag, file, error);
  }
}

/** @throws SlicedInferenceError if two flags name the same file, of which only one would remain */
export function checkDistinct(
  [file, flag]: readonly [string, string],
  [other, otherFlag]: readonly [string, string],
): void {
  if (linkTarget(file) !== linkTarget(other)) return;
  throw new SlicedInferenceError(
    `${flag} and ${otherFlag} must name two files`,
    `${quoted(other)} for both`,
    'rename one of them',
  );
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
    const stream = found && STANDARD_STREAMS.find((descriptor) => isSame(fs.fstatSync(descriptor), found));
    if (found?.isFile() === false) await writeFile(file, content);
    // The shell has opened the file: another one in its place would miss what this command prints.
    else if (stream !== undefined) fs.writeFileSync(stream, content);
    else await replace(linkTarget(file), content, { found, mode });
  } catch (error) {
    throw unwritable(flag, file, error);
  }
}

async function replace(
  target: string,
  content: string | Uint8Array,
  { found, mode }: { readonly found?: fs.Stats; readonly mode?: number },
): Promise<void> {
  const partial = partialOf(target);
  noteUnfinished({ partial, parents: [] });
  try {
    await writeFile(partial, content, { flag: 'wx', mode: found ? PRIVATE : mode });
    if (found) await keepOwner(partial, found);
    await rename(partial, target);
  } finally {
    await rm(partial, { force: true });
  }
}

/** Only the superuser can give a file to another user. The permissions at its creation were subject to the umask. */
async function keepOwner(partial: string, { uid, gid, mode }: fs.Stats): Promise<void> {
  const own = fs.statSync(partial);
  if (process.getuid?.() === 0 && (own.uid !== uid || own.gid !== gid)) await chown(partial, uid, gid);
  await chmod(partial, mode & 0o7777);
}

/** Permissions alone do not say it: the superuser has them all, also on a file system that takes no files. */
function tryToWrite(file: string): void {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  if (found) fs.accessSync(file, fs.constants.W_OK);
  if (found?.isFile() === false) return;
  const partial = partialOf(linkTarget(file));
  fs.closeSync(fs.openSync(partial, 'wx'));
  fs.rmSync(partial);
}

function partialOf(target: string): string {
  return `${target}.${randomBytes(6).toString('hex')}`;
}

function isSame(a: fs.Stats, b: fs.Stats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

function isFolder(name: string): boolean {
  return fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
}

function unwritable(flag: string, file: string, error: unknown): SlicedInferenceError {
  return new SlicedInferenceError(
    `${flag} must name a file that can be written`,
    `${systemReason(error)} for ${quoted(file)}`,
    'choose another file',
  );
}
