/** Refuses tensors for a pipeline whose functions take or return something else. */
import { ownFunctions } from '../../client/description/own-functions';
import { SlicedInferenceError } from '../../lib/errors';

/** @throws SlicedInferenceError for a pipeline with functions of the user */
export function requireTensors(signature: Parameters<typeof ownFunctions>[0]): void {
  const functions = ownFunctions(signature);
  if (functions === undefined) return;
  throw new SlicedInferenceError(
    '--inputs must be for a pipeline that takes and returns tensors',
    `one with ${functions}`,
    'use --input-json',
  );
}
