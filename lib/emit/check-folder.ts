/** A folder of slices that was written before: its plan, and its files checked against the plan's digests. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileDigest } from '../cache/file-digest';
import { SlicedInferenceError, quoted, systemReason } from '../errors';
import type { PlannedFile, SlicePlan } from '../plan/plan';
import type { SlicePaths } from './store';

/**
 * Where the files of the plan's slices lie below `folder`. Each file is read once and then known by its fingerprint.
 *
 * @throws SlicedInferenceError for a file that is missing or has other bytes than the plan says
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
      `slice file ${quoted(file)} must be there`,
      systemReason(error),
      'slice the model again',
    );
  }
  if (digest === planned.sha256) return file;
  throw new SlicedInferenceError(
    `slice file ${quoted(file)} must have the ${planned.bytes} bytes of its plan`,
    size === planned.bytes ? 'other bytes' : `${size} bytes`,
    'copy it again, or slice the model again',
  );
}
