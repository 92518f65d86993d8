/** Says what a user should know of a plan: measurements that differ from it, refused sizes, and one function that would do. */
import type { Construct } from 'constructs';
import { inform, warn } from '../aws/annotate';
import type { PlanEstimates } from '../compile/plan-estimates';
import type { SlicePlan } from '../plan/file/plan';

const PREFIX = 'cdk-sliced-inference:';

/**
 * Nothing is wrong with slices that one function could replace, so that is an info, which `cdk synth --strict` allows.
 *
 * @param isAutomatic whether the search chose the number of slices
 */
export function annotatePlan(
  scope: Construct,
  { slices }: SlicePlan,
  { oneFunction, profileDifferences, sizes, nearEmpty }: PlanEstimates,
  isAutomatic: boolean,
): void {
  if (profileDifferences.length > 0) {
    warn(
      scope,
      `${PREFIX}profileDiffers`,
      `the profile was measured under other conditions than those of the plan (${profileDifferences.join('; ')}): profile the model again`,
    );
  }
  if (sizes.refused !== undefined) {
    warn(
      scope,
      `${PREFIX}refusedDimensions`,
      `${sizes.refused}; set dimensions to sizes with which the model runs`,
    );
  }
  if (sizes.replaced !== undefined) {
    warn(
      scope,
      `${PREFIX}replacedDimensions`,
      `${sizes.replaced}; set dimensions to the sizes of your requests`,
    );
  }
  if (nearEmpty !== undefined) {
    warn(scope, `${PREFIX}nearEmptySlices`, `${nearEmpty}: request fewer slices`);
  }
  if (slices.length === 1 && isAutomatic) {
    inform(scope, `${PREFIX}oneSlice`, `Slicing.automatic makes one slice: ${oneFunction.verdict}`);
  }
  if (slices.length > 1 && oneFunction.isBetter) {
    inform(
      scope,
      `${PREFIX}oneFunction`,
      `the model of cost prefers one function to ${slices.length} slices: ${oneFunction.verdict}`,
    );
  }
}
