/** The JSON that an execution returns: printed, or written to the file of `--out`. */
import { SlicedInferenceError, quoted } from '../../lib/errors';
import { checkPlace, writeNamedFile } from './named-file';

/** @throws SlicedInferenceError for a file that cannot be written, or whose name says that it holds tensors */
export function checkJsonOut(out: string): void {
  if (out.toLowerCase().endsWith('.json')) checkPlace(out, '--out');
  else throw new SlicedInferenceError('--out of --input-json must end in .json', quoted(out), 'rename it');
}

/** @throws SlicedInferenceError if it cannot be written */
export async function writeJson(out: string, value: unknown): Promise<void> {
  await writeNamedFile(out, '--out', `${JSON.stringify(value, undefined, 2)}\n`);
}
