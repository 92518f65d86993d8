/** Writes the files of an app: all of them, or none. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';
import { makeFolder } from '../../lib/host/folders';
import { writeNamedFile } from '../outputs/named-file';

/**
 * The real path of a folder that may not exist yet.
 * @throws SlicedInferenceError for a path that cannot be a folder
 */
export function projectFolder(folder: string): string {
  const target = path.resolve(folder);
  if (folder === '') throw noFolder(folder, 'an empty path');
  if (fs.existsSync(target)) {
    if (!fs.statSync(target).isDirectory()) throw noFolder(folder, 'a file');
    return fs.realpathSync(target);
  }
  return path.join(projectFolder(path.dirname(target)), path.basename(target));
}

/**
 * @param files texts by name, all of them new
 * @param replaced the text of a file that may exist
 * @throws SlicedInferenceError if one of the new files exists, or if the folder cannot be written
 */
export async function writeProject(
  folder: string,
  files: Readonly<Record<string, string>>,
  replaced?: { readonly name: string; readonly text: string },
): Promise<void> {
  const names = Object.keys(files);
  const existing = names.filter((name) => isThere(path.join(folder, name)));
  if (existing.length > 0) {
    throw new SlicedInferenceError(
      `init must write new files into ${quoted(folder)}`,
      `${existing.map((name) => quoted(name)).join(', ')} there`,
      'choose another folder or move them',
    );
  }
  const created = outermostMissing(folder);
  const written: string[] = [];
  const manifest = replaced && path.join(folder, replaced.name);
  try {
    // Another file takes its place, for which the system asks only the folder.
    if (manifest && fs.existsSync(manifest)) fs.accessSync(manifest, fs.constants.W_OK);
    makeFolder(folder);
    for (const name of names) {
      const file = path.join(folder, name);
      // It replaces no file that has appeared in the meantime.
      const opened = fs.openSync(file, 'wx');
      written.push(file);
      fs.writeFileSync(opened, files[name]);
      fs.closeSync(opened);
    }
    if (manifest) await writeNamedFile(manifest, replaced.name, replaced.text);
  } catch (error) {
    for (const own of created === undefined ? written : [created])
      fs.rmSync(own, { recursive: true, force: true });
    if (error instanceof SlicedInferenceError) throw error;
    throw noFolder((error as NodeJS.ErrnoException).path ?? folder, systemReason(error));
  }
}

/** The folder to create first; `undefined` if all exist. */
function outermostMissing(folder: string): string | undefined {
  return fs.existsSync(folder) ? undefined : (outermostMissing(path.dirname(folder)) ?? folder);
}

/** Also a link to nothing. */
function isThere(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

function noFolder(folder: string, got: string): SlicedInferenceError {
  const what = `the folder of an app must be one that can be written, such as ${quoted('my-app')}`;
  return new SlicedInferenceError(what, `${got} for ${quoted(folder)}`, 'choose another folder');
}
