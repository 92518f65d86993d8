/** Reads a `plan.json`. Its content may come from a stranger; `check-plan.ts` checks it. */
import { SlicedInferenceError, printable, quoted } from '../../errors';
import { readText } from '../../host/read-text';
import type { SlicePlan } from '../../plan/file/plan';
import { BE_A_PLAN, MAKE, checkPlan, isOfThisContract } from './check-plan';
import { Place, jsonOf } from './json-place';

/** Largest plan file. A plan of 1,000 slices that read 50 tensors each has about 10 MB. */
export const MAX_PLAN_BYTES = 64 * 2 ** 20;

/** @throws SlicedInferenceError for a file that cannot be read or is not a valid plan of this version */
export function readPlan(path: string): SlicePlan {
  const text = readText(path, 'plan', MAX_PLAN_BYTES, 'pass the path of its plan.json');
  return checkPlan(jsonOf(text, Place.root(path), BE_A_PLAN, MAKE), path);
}

/**
 * Reads the plan of slices that are to be deployed.
 *
 * @throws SlicedInferenceError also if the functions of this version of the library cannot run the slices
 */
export function readDeployablePlan(path: string): SlicePlan {
  const plan = readPlan(path);
  if (isOfThisContract(plan)) return plan;
  const { library } = plan;
  throw new SlicedInferenceError(
    `the slices of plan ${quoted(path)} must be made for the functions of this version of the library`,
    `slices of version ${printable(library)}`,
    'slice the model again with this version; Slicing.fromPlan keeps the cuts',
  );
}
