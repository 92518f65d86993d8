/** The file of `--out`: the tensors or the JSON that an execution returns. */
import * as fs from 'node:fs';
import type { TensorSpec } from '../../contract/tensors';
import { quoted, SlicedInferenceError } from '../../lib/errors';
import { isWritableTensorFile } from '../tensor-files';
import { formatBytes } from '../terminal/format';
import { checkPlace, writeNamedFile } from './named-file';

/** @throws SlicedInferenceError for a file of tensors, or of JSON, that cannot be written */
export function checkOut(out: string, content: 'tensors' | 'json'): void {
  if (content === 'tensors' && !isWritableTensorFile(out)) {
    throw new SlicedInferenceError('--out must end in .safetensors, .npz or .json', quoted(out), 'rename it');
  }
  if (content === 'json' && !out.toLowerCase().endsWith('.json')) {
    throw new SlicedInferenceError('--out of --input-json must end in .json', quoted(out), 'rename it');
  }
  checkPlace(out, '--out');
}

export async function writeJson(out: string, value: unknown): Promise<void> {
  await writeNamedFile(out, '--out', `${JSON.stringify(value, undefined, 2)}\n`);
}

/** Sorts outputs in the model's order; the pipeline's files have another order. */
export function sortedByModel<T>(
  specs: readonly TensorSpec[],
  tensors: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  const place = new Map(specs.map(({ name }, index) => [name, index]));
  return new Map([...tensors].sort(([a], [b]) => (place.get(a) ?? 0) - (place.get(b) ?? 0)));
}

/** `written to y.npz (1.2 KB)`; without a size for what is no file, such as a pipe. */
export function writtenLine(out: string): string {
  const written = fs.statSync(out);
  return `written to ${out}${written.isFile() ? ` (${formatBytes(written.size)})` : ''}`;
}
