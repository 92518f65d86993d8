import { readFile } from 'node:fs/promises';
import { SlicedInferenceError, systemReason } from '../../lib/errors';

/** A whole file in memory. Node reads at most 2 GiB at once, which is more than inputs have. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new SlicedInferenceError(
      `tensor file '${path}' must be readable`,
      systemReason(error),
      'check its path',
    );
  }
}
