/** The JSON that an execution returns: printed, or written to the file of `--out`. */
import { replaceFileAsync } from '../../lib/host/write-beside';
import { SlicedInferenceError, quoted, systemReason } from '../../lib/errors';
import { noteUnfinished } from '../process/unfinished';
import { partialFile } from '../tensor-files';
import { checkPlace } from './out-file';

/** @throws SlicedInferenceError for a file that cannot be written, or whose name says that it holds tensors */
export function checkJsonOut(out: string): void {
  if (out.toLowerCase().endsWith('.json')) checkPlace(out, '--out');
  else throw new SlicedInferenceError('--out of --input-json must end in .json', quoted(out), 'rename it');
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** The file has its name when it is complete. */
export async function writeJson(out: string, value: unknown): Promise<void> {
  const partial = partialFile(out);
  noteUnfinished({ partial, parents: [] });
  try {
    await replaceFileAsync(out, Buffer.from(jsonText(value)), partial);
  } catch (error) {
    throw new SlicedInferenceError(`file '${out}' must be writable`, systemReason(error), 'check the path');
  }
}
