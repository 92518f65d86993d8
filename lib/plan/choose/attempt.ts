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
