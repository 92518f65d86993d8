/** Checks the paths that factories take. */
import * as fs from 'node:fs';
import { SlicedInferenceError, quoted } from '../errors';
import { foreignPath } from '../host/foreign-path';
import { knownAtSynth } from './known-at-synth';

const WRITTEN_FOLDER = 'pass the folder that `sliced-inference slice --out` wrote';

/** @throws SlicedInferenceError if the path is known only at deployment */
export function planPath(path: string): string {
  return knownAtSynth(path, 'the path of a plan');
}

/**
 * @returns the path of a folder that `sliced-inference slice --out` may have written; reading its plan shows whether
 * @throws SlicedInferenceError if the path cannot be that of a folder on this machine
 */
export function sliceFolder(path: string): string {
  const what = 'the folder of a sliced model';
  const folder = knownAtSynth(path, what);
  const stat = statOf(folder);
  if (stat?.isFile()) {
    throw new SlicedInferenceError(`${what} must be a folder`, `the file ${quoted(folder)}`, WRITTEN_FOLDER);
  }
  const foreign = stat ? undefined : foreignPath(folder, 'use SlicedModel.fromBucket');
  if (foreign === undefined) return folder;
  throw new SlicedInferenceError(
    `${what} ${quoted(folder)} must be on this machine`,
    foreign.got,
    foreign.advice,
  );
}

/** Returns `undefined` for a folder that is missing or unreadable: the error of reading its plan says which. */
function statOf(folder: string): fs.Stats | undefined {
  try {
    return fs.statSync(folder);
  } catch {
    return undefined;
  }
}
