import { readFile } from 'node:fs/promises';
import { SlicedInferenceError, systemReason } from '../../lib/errors';

/** Reads a whole file into memory. Node.js reads at most 2 GiB at once; input files are smaller. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new SlicedInferenceError(
      `tensor file '${path}' must be readable`,
      systemReason(error),
      'check the path',
    );
  }
}
