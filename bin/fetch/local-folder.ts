/** Copies files of a repository into a folder, under their paths there, and nothing outside of it. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';
import { fileDigest } from '../../lib/cache/fingerprint';
import { makeFolder, withPartial } from '../../lib/host/folders';
import { noteUnfinished } from '../process/unfinished';

/** Copies, because a program that edits the file must not edit the cache. Replaces nothing. Some disks copy without using space. */
export function copyInto(folder: string, file: string, source: string): string {
  try {
    makeFolder(folder);
    const target = path.join(innerFolder(fs.realpathSync(folder), path.dirname(file)), path.basename(file));
    const found = fs.lstatSync(target, { throwIfNoEntry: false });
    if (found?.isFile() && fileDigest(target) === fileDigest(source)) return path.resolve(folder, file);
    const must = `${quoted(target)} in --local-dir must be the fetched file`;
    if (found) throw new SlicedInferenceError(must, 'another one', 'remove it or choose another folder');
    const partial = `${target}.${randomBytes(6).toString('hex')}`;
    noteUnfinished({ partial, parents: [] });
    withPartial(partial, () => {
      fs.copyFileSync(source, partial, fs.constants.COPYFILE_FICLONE);
      fs.renameSync(partial, target);
    });
    return path.resolve(folder, file);
  } catch (error) {
    if (error instanceof SlicedInferenceError) throw error;
    const must = `--local-dir ${quoted(folder)} must be writable`;
    throw new SlicedInferenceError(
      must,
      `${systemReason(error)} for ${quoted(file)}`,
      'choose another folder',
    );
  }
}

/** Makes the folders on the way one by one, because a link among them may lead out. */
function innerFolder(root: string, inner: string): string {
  return inner.split('/').reduce((parent, name) => {
    const next = path.join(parent, name);
    makeFolder(next);
    const real = fs.realpathSync(next);
    const isInside = real === root || real.startsWith(root + path.sep);
    if (isInside && fs.statSync(real).isDirectory()) return real;
    const must = `--local-dir must have the folder ${quoted(next)}`;
    throw new SlicedInferenceError(must, isInside ? 'a file' : 'a link out of it', 'choose another folder');
  }, root);
}
