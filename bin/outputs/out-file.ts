/** Files of tensors that `--out` names. */
import * as fs from 'node:fs';
import type { TensorSpec } from '../../contract/tensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { quoted, SlicedInferenceError } from '../../lib/errors';
import { isWritableTensorFile, writeTensorFile } from '../tensor-files';
import { formatBytes } from '../terminal/format';
import { checkPlace } from './named-file';
import { sortedByModel } from './sorted-by-model';

/** @throws SlicedInferenceError for a file of tensors that cannot be written */
export function checkOut(out: string): void {
  if (!isWritableTensorFile(out)) {
    throw new SlicedInferenceError('--out must end in .safetensors, .npz or .json', quoted(out), 'rename it');
  }
  checkPlace(out, '--out');
}

/** Writes outputs in the model's order. */
export async function writeOutputs(
  out: string,
  specs: readonly TensorSpec[],
  tensors: ReadonlyMap<string, RawTensor>,
): Promise<void> {
  await writeTensorFile(out, sortedByModel(specs, tensors));
}

/** `written to y.npz (1.2KB)`; without a size for what is no file, such as a pipe. */
export function writtenLine(out: string): string {
  const written = fs.statSync(out);
  return `written to ${out}${written.isFile() ? ` (${formatBytes(written.size)})` : ''}`;
}
