/** Warns of what a plan was made with that may be otherwise when it runs: sizes, ONNX Runtime's version, memory. */
import { Annotations, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { sliceName } from '../../contract/keys';
import { onnxRuntimeVersion } from '../host/onnxruntime';
import type { SlicePlan } from '../plan/plan';
import { givenSize, symbolicNames } from '../shapes/value-types';

/** @param memorySizes by slice, in MB; tokens where they are not known yet */
export function warnOfAssumptions(scope: Construct, plan: SlicePlan, memorySizes: readonly number[]): void {
  const assumed = symbolicNames(plan.inputs).filter((name) => givenSize(plan.dimensions, name) === undefined);
  if (assumed.length > 0) {
    Annotations.of(scope).addWarningV2(
      'cdk-sliced-inference:assumedDimensions',
      `memory and cuts are planned with size 1 for ${assumed.join(', ')}: set dimensions to the sizes of your requests`,
    );
  }
  if (plan.onnxRuntime !== onnxRuntimeVersion()) {
    Annotations.of(scope).addWarningV2(
      'cdk-sliced-inference:otherOnnxRuntime',
      `the model was sliced for ONNX Runtime ${plan.onnxRuntime} and will run on ${onnxRuntimeVersion()}: slice it again with this version of the library`,
    );
  }
  const little = plan.slices.findIndex(
    ({ memoryMb }, slice) => !Token.isUnresolved(memorySizes[slice]) && memorySizes[slice] < memoryMb,
  );
  if (little >= 0) {
    Annotations.of(scope).addWarningV2(
      'cdk-sliced-inference:littleMemory',
      `the function of ${sliceName(little)} has ${memorySizes[little]} MB of memory where the plan estimates ${plan.slices[little].memoryMb} MB: raise its memorySize`,
    );
  }
}
