/** Warns if a run may differ from what the plan assumed: dimension sizes, ONNX Runtime's version, memory. */
import { Annotations, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { sliceName } from '../../contract/keys';
import { printable } from '../errors';
import { onnxRuntimeVersion } from '../host/onnxruntime';
import type { SlicePlan } from '../plan/file/plan';
import { givenSize, symbolicNames } from '../shapes/value-types';

/** @param memorySizes by slice, in MB; a size that is known only at deployment is a token */
export function warnOfAssumptions(scope: Construct, plan: SlicePlan, memorySizes: readonly number[]): void {
  const assumed = symbolicNames(plan.inputs).filter((name) => givenSize(plan.dimensions, name) === undefined);
  if (assumed.length > 0) {
    Annotations.of(scope).addWarningV2(
      'cdk-sliced-inference:assumedDimensions',
      `memory and cuts are planned with size 1 for ${assumed.map((name) => printable(name)).join(', ')}: set dimensions to the sizes of your requests`,
    );
  }
  if (plan.onnxRuntime !== onnxRuntimeVersion()) {
    Annotations.of(scope).addWarningV2(
      'cdk-sliced-inference:otherOnnxRuntime',
      `the model was sliced for ONNX Runtime ${plan.onnxRuntime} and will run on ${onnxRuntimeVersion()}: slice it again with this version of the library`,
    );
  }
  const short = plan.slices.findIndex(
    ({ memoryMb }, slice) => !Token.isUnresolved(memorySizes[slice]) && memorySizes[slice] < memoryMb,
  );
  if (short >= 0) {
    Annotations.of(scope).addWarningV2(
      'cdk-sliced-inference:littleMemory',
      `the function of ${sliceName(short)} has ${memorySizes[short]} MB of memory, and the plan estimates that it needs ${plan.slices[short].memoryMb} MB: raise its memorySize`,
    );
  }
}
