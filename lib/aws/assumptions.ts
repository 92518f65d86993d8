/** Warns if a run may differ from what the plan assumed: sizes of dimensions and tensors, ONNX Runtime's version, memory. */
import { Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { sliceName } from '../../contract/keys';
import { printable, quoted } from '../errors';
import { onnxRuntimeVersion } from '../host/onnxruntime';
import type { SlicePlan } from '../plan/file/plan';
import { warn } from './annotate';

/** Names that a warning lists. */
const NAMED = 6;

/** @param memorySizes by slice, in MB; a size that is known only at deployment is a token */
export function warnOfAssumptions(scope: Construct, plan: SlicePlan, memorySizes: readonly number[]): void {
  if (plan.assumedDimensions.length > 0) {
    const sizes = firstOf(
      plan.assumedDimensions.map((name) => `${printable(name)}=${plan.dimensions[name]}`),
    );
    warn(
      scope,
      'cdk-sliced-inference:assumedDimensions',
      `memory and cuts are planned with assumed sizes, ${sizes}: set dimensions to the sizes of your requests`,
    );
  }
  if (plan.boundedTensors.length > 0) {
    const names = firstOf(plan.boundedTensors.map((name) => quoted(name)));
    warn(
      scope,
      'cdk-sliced-inference:boundedTensors',
      `sizes of tensors depend on data, and memory and cuts are planned with estimates for ${names}: compare the memory that runs use with the functions' memory`,
    );
  }
  if (plan.onnxRuntime !== onnxRuntimeVersion()) {
    warn(
      scope,
      'cdk-sliced-inference:otherOnnxRuntime',
      `the model was sliced for ONNX Runtime ${plan.onnxRuntime} and will run on ${onnxRuntimeVersion()}: slice it again with this version of the library`,
    );
  }
  const short = plan.slices.findIndex(
    ({ memoryMb }, slice) => !Token.isUnresolved(memorySizes[slice]) && memorySizes[slice] < memoryMb,
  );
  if (short >= 0) {
    warn(
      scope,
      'cdk-sliced-inference:littleMemory',
      `the function of ${sliceName(short)} has ${memorySizes[short]} MB of memory, and the plan estimates that it needs ${plan.slices[short].memoryMb} MB: raise its memorySize`,
    );
  }
}

function firstOf(names: readonly string[]): string {
  const others = names.length - NAMED;
  return [...names.slice(0, NAMED), ...(others > 0 ? [`${others} more`] : [])].join(', ');
}
