import { SlicedInferenceError } from '../../errors';

/** @returns the error of planning, if there is one */
export function attempt<T>(choose: () => T): T | SlicedInferenceError {
  try {
    return choose();
  } catch (error) {
    if (error instanceof SlicedInferenceError) return error;
    throw error;
  }
}

/**
 * The choices in the spaces that have one.
 *
 * @throws SlicedInferenceError that of the last space, if none has one
 */
export function attemptAll<S, T>(spaces: readonly S[], choose: (space: S) => T): T[] {
  const attempts = spaces.map((space) => attempt(() => choose(space)));
  const found = attempts.flatMap((each) => (each instanceof SlicedInferenceError ? [] : [each]));
  const last = attempts[attempts.length - 1];
  if (found.length === 0 && last instanceof SlicedInferenceError) throw last;
  return found;
}
