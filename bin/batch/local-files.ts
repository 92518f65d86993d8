/** The files of a folder, or one file, of `--inputs`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';

interface LocalFile {
  readonly file: string;
  readonly key: string;
}

/**
 * @param key of the file, or the beginning of those of a folder's files
 * @param onFile called with their number when the next file is taken
 * @throws SlicedInferenceError for a folder without files
 */
export function* filesOf(local: string, key: string, onFile: (files: number) => void): Generator<LocalFile> {
  let files = 0;
  for (const file of itemsOf(local, key)) {
    yield file;
    onFile(++files);
  }
  if (files === 0) throw refused('must be a folder with files', `none in ${quoted(local)}`, 'check the path');
}

/** In the order of their names. What begins with a dot, such as `.DS_Store` or `.git`, is left out. */
function* itemsOf(local: string, key: string): Generator<LocalFile> {
  if (fs.statSync(local).isFile()) {
    yield { file: local, key };
    return;
  }
  const entries = fs.readdirSync(local, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(local, entry.name);
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) yield* itemsOf(file, `${key}${entry.name}/`);
    else if (entry.isFile()) yield { file, key: `${key}${entry.name}` };
    else throw unfit(file, 'a file', 'a symbolic link, a device or a pipe', 'replace it by a copy');
  }
}

/** A file that was written, renamed or replaced after a batch has begun, by the clock of this machine. */
export function changedSince(local: string, startDate = new Date(NaN)): string | undefined {
  for (const { file } of itemsOf(local, '')) if (fs.statSync(file).ctime > startDate) return file;
  return undefined;
}

export function readError(error: unknown, local: string): unknown {
  const { syscall, path: file = local } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  return unfit(file, 'readable', systemReason(error), 'change its permissions or its name');
}

export function refused(what: string, got: string, advice: string): SlicedInferenceError {
  return new SlicedInferenceError(`--inputs ${what}`, got, advice);
}

export function unfit(file: string, what: string, got: string, advice: string): SlicedInferenceError {
  return new SlicedInferenceError(`${quoted(file)} of --inputs must be ${what}`, got, advice);
}
