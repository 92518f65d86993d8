/** Says what a user should know of a plan: what a run may do otherwise, measurements that differ, and one function that would do. */
import { Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { sliceName } from '../../contract/keys';
import { inform, warn } from '../aws/annotate';
import type { PlanEstimates } from '../compile/plan-estimates';
import { printable, quoted } from '../errors';
import { onnxRuntimeVersion } from '../host/onnxruntime';
import type { SlicePlan } from '../plan/file/plan';

/** Names that a warning lists. */
const NAMED = 6;

/**
 * Warns if a run may differ from what the plan assumed.
 *
 * @param memorySizes by slice, in MB; a size that is known only at deployment is a token
 */
export function warnOfAssumptions(scope: Construct, plan: SlicePlan, memorySizes: readonly number[]): void {
  const { assumedDimensions, boundedTensors, dimensions, onnxRuntime, slices } = plan;
  if (assumedDimensions.length > 0) {
    const sizes = firstOf(assumedDimensions.map((name) => `${printable(name)}=${dimensions[name]}`));
    warn(
      scope,
      'assumedDimensions',
      `memory and cuts are planned with assumed sizes, ${sizes}: set dimensions to the sizes of your requests`,
    );
  }
  if (boundedTensors.length > 0) {
    const names = firstOf(boundedTensors.map((name) => quoted(name)));
    warn(
      scope,
      'boundedTensors',
      `sizes of tensors depend on data, and memory and cuts are planned with estimates for ${names}: compare the memory that runs use with the functions' memory`,
    );
  }
  if (onnxRuntime !== onnxRuntimeVersion()) {
    warn(
      scope,
      'otherOnnxRuntime',
      `the model was sliced for ONNX Runtime ${onnxRuntime} and will run on ${onnxRuntimeVersion()}: slice it again with this version of the library`,
    );
  }
  const short = slices.findIndex(
    ({ memoryMb }, slice) => !Token.isUnresolved(memorySizes[slice]) && memorySizes[slice] < memoryMb,
  );
  if (short >= 0) {
    warn(
      scope,
      'littleMemory',
      `the function of ${sliceName(short)} has ${memorySizes[short]} MB of memory, and the plan estimates that it needs ${slices[short].memoryMb} MB: raise its memorySize`,
    );
  }
}

function firstOf(names: readonly string[]): string {
  const others = names.length - NAMED;
  return [...names.slice(0, NAMED), ...(others > 0 ? [`${others} more`] : [])].join(', ');
}

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
    const differences = profileDifferences.join('; ');
    warn(
      scope,
      'profileDiffers',
      `the profile was measured under other conditions than those of the plan (${differences}): profile the model again`,
    );
  }
  const { refused, replaced } = sizes;
  if (refused !== undefined)
    warn(scope, 'refusedDimensions', `${refused}; set dimensions to sizes with which the model runs`);
  if (replaced !== undefined)
    warn(scope, 'replacedDimensions', `${replaced}; set dimensions to the sizes of your requests`);
  if (nearEmpty !== undefined) warn(scope, 'nearEmptySlices', `${nearEmpty}: request fewer slices`);
  if (slices.length === 1 && isAutomatic)
    inform(scope, 'oneSlice', `Slicing.automatic makes one slice: ${oneFunction.verdict}`);
  if (slices.length > 1 && oneFunction.isBetter) {
    const many = `the model of cost prefers one function to ${slices.length} slices`;
    inform(scope, 'oneFunction', `${many}: ${oneFunction.verdict}`);
  }
}
