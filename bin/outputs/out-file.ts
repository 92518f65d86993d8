/** Files of `--out` and other flags that name a file: their checks before any work starts, and how tensors get into them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { TensorSpec } from '../../contract/tensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { SlicedInferenceError } from '../../lib/errors';
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

/** @throws SlicedInferenceError for a file whose folder does not exist */
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
