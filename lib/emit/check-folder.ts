/** Checks the slice files of a folder against the digests in their plan. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileDigest } from '../cache/file-digest';
import { SlicedInferenceError, quoted, systemReason } from '../errors';
import type { PlannedFile, SlicePlan } from '../plan/file/plan';
import type { SlicePaths } from './store';

/**
 * The paths of the plan's slice files in `folder`. A file is hashed once; while its fingerprint is unchanged, later calls
 * reuse the digest.
 *
 * @throws SlicedInferenceError for a file that is missing or does not match the plan
 */
export function checkedSlices(folder: string, { slices }: SlicePlan): SlicePaths[] {
  const check = (planned: PlannedFile): string => checkedFile(path.resolve(folder, planned.file), planned);
  return slices.map(({ model, weights }) => ({
    model: check(model),
    ...(weights && { weights: check(weights) }),
  }));
}

function checkedFile(file: string, planned: PlannedFile): string {
  let size: number;
  let digest: string;
  try {
    size = fs.statSync(file).size;
    digest = size === planned.bytes ? fileDigest(file) : '';
  } catch (error) {
    throw new SlicedInferenceError(
      `slice file ${quoted(file)} must exist`,
      systemReason(error),
      'slice the model again',
    );
  }
  if (digest === planned.sha256) return file;
  throw new SlicedInferenceError(
    `slice file ${quoted(file)} must have the ${planned.bytes} bytes that its plan lists`,
    size === planned.bytes ? 'other bytes' : `${size} bytes`,
    'copy it again, or slice the model again',
  );
}
