/** Files of `--out` and other flags that name a file: their checks before any work starts, and how tensors get into them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { TensorSpec } from '../../contract/tensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { quoted, SlicedInferenceError, systemReason } from '../../lib/errors';
import { replaceFileAsync } from '../../lib/host/write-beside';
import { noteUnfinished } from '../process/unfinished';
import { isWritableTensorFile, partialFile, writeTensorFile } from '../tensor-files';
import { formatBytes } from '../terminal/format';
import { sortedByModel } from './sorted-by-model';

/** @throws SlicedInferenceError for a file of tensors that cannot be written */
export function checkOut(out: string): void {
  if (!isWritableTensorFile(out)) {
    throw new SlicedInferenceError('--out must end in .safetensors, .npz or .json', `'${out}'`, 'rename it');
  }
  checkPlace(out, '--out');
}

/** @throws SlicedInferenceError for a file whose folder does not exist, or that cannot be written */
export function checkPlace(file: string, flag: string): void {
  if (!isFolder(path.dirname(file))) {
    throw new SlicedInferenceError(
      `${flag} must be in an existing folder`,
      `'${file}'`,
      'create the folder or choose another',
    );
  }
  if (isFolder(file)) {
    throw new SlicedInferenceError(`${flag} must name a file`, `the folder '${file}'`, 'rename it');
  }
  try {
    tryToWrite(file);
  } catch (error) {
    throw unwritable(flag, file, error);
  }
}

/** @throws SlicedInferenceError if two flags name the same file, of which only one would remain */
export function checkDistinct(
  [file, flag]: readonly [string, string],
  [other, otherFlag]: readonly [string, string],
): void {
  if (path.resolve(file) !== path.resolve(other)) return;
  throw new SlicedInferenceError(
    `${flag} and ${otherFlag} must name two files`,
    `${quoted(other)} for both`,
    'rename one of them',
  );
}

/**
 * Writes any other file than outputs. It has its name when it is complete.
 * @throws SlicedInferenceError if it cannot be written
 */
export async function writeText(file: string, flag: string, text: string): Promise<void> {
  try {
    if (isDevice(file)) {
      fs.writeFileSync(file, text);
      return;
    }
    const target = targetOf(file);
    const partial = partialFile(target);
    noteUnfinished({ partial, parents: [] });
    await replaceFileAsync(target, Buffer.from(text), partial);
  } catch (error) {
    throw unwritable(flag, file, error);
  }
}

function unwritable(flag: string, file: string, error: unknown): SlicedInferenceError {
  return new SlicedInferenceError(
    `${flag} must name a file that can be written`,
    `${systemReason(error)} for ${quoted(file)}`,
    'choose another file',
  );
}

/** Permissions alone do not say it: the superuser has them all, also on a file system that takes no files. */
function tryToWrite(file: string): void {
  if (fs.existsSync(file)) fs.accessSync(file, fs.constants.W_OK);
  if (isDevice(file)) return;
  const partial = partialFile(targetOf(file));
  fs.closeSync(fs.openSync(partial, 'wx'));
  fs.rmSync(partial);
}

/** Behind symbolic links: the file is replaced, and not the link, such as `/dev/stdout`. */
function targetOf(file: string): string {
  return fs.existsSync(file) ? fs.realpathSync(file) : file;
}

/** `/dev/null` or a pipe, for example, which a file must not replace. */
function isDevice(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() === false;
}

/** Writes outputs in the model's order. The file has its name when it is complete. */
export async function writeOutputs(
  out: string,
  specs: readonly TensorSpec[],
  tensors: ReadonlyMap<string, RawTensor>,
): Promise<void> {
  noteUnfinished({ partial: partialFile(out), parents: [] });
  await writeTensorFile(out, sortedByModel(specs, tensors));
}

/** `written to y.npz (1.2KB)`. */
export function writtenLine(out: string): string {
  return `written to ${out} (${formatBytes(fs.statSync(out).size)})`;
}

function isFolder(name: string): boolean {
  return fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
}
