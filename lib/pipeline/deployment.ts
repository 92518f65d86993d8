/** Computes the plan that a stack deploys from the model's plan and the pipeline's settings. */
import { createHash } from 'node:crypto';
import { Token } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { DeployedPlan } from '../aws/deployed-plan';
import { runtimeCodeDigest } from '../aws/runtime-code';
import { sliceMemorySize } from '../aws/slice-function';
import type { SliceFunctionOptions } from '../aws/slice-function-options';
import { optionsOfSlices } from '../aws/slice-function-options';
import type { SlicePlan } from '../plan/file/plan';
import { isWarmUpWorthwhile } from '../plan/schedule/warm-up';
import { threadCount } from '../plan/sizes/estimate';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import type { PipelineSettings } from './settings';
import { WarmUp } from './warm-up';
import { largestOf } from '../extremes';

export interface PipelineDeployment {
  readonly plan: DeployedPlan;
  /** By slice. */
  readonly options: readonly SliceFunctionOptions[];
  /** By slice, in MB. A memory size that is known only at deployment is a token. */
  readonly memorySizes: readonly number[];
  /** Whether later slices load while the first one runs. */
  readonly warmsUp: boolean;
}

/** @throws SlicedInferenceError if Lambda does not allow the function options, or if a slice is too large for Lambda */
export function planDeployment(
  plan: SlicePlan,
  { sliceFunctions, sliceFunctionOverrides }: SlicedInferencePipelineProps,
  settings: PipelineSettings,
): PipelineDeployment {
  const options = optionsOfSlices(plan.slices.length, sliceFunctions, sliceFunctionOverrides);
  const memorySizes = options.map((own, slice) => sliceMemorySize(plan, slice, own));
  const threads = deployedThreads(plan, memorySizes);
  const deploymentDigest = digestOf(plan, threads, settings);
  return {
    plan: { ...plan, threads, deploymentDigest },
    options,
    memorySizes,
    warmsUp: warmsUp(plan, settings),
  };
}

/**
 * All slices share one thread count, because the last bits of a result may depend on it. If the user sets memory sizes, it
 * follows the largest function; the plan's count is for the plan's sizes, or for sizes that are known only at deployment.
 */
function deployedThreads(plan: SlicePlan, memorySizes: readonly number[]): number {
  const isPlanned = memorySizes.every((size, slice) => size === plan.slices[slice].memoryMb);
  return isPlanned || !memorySizes.every(isKnown) ? plan.threads : threadCount(largestOf(memorySizes));
}

/** A digest of everything that the bits of a result depend on. */
function digestOf(
  plan: SlicePlan,
  threads: number,
  { architecture, float16Transport, expressZone }: PipelineSettings,
): string {
  const parts = [
    plan.planDigest,
    runtimeCodeDigest(architecture),
    architecture.name,
    threads,
    float16Transport,
    isKnown(expressZone) ? expressZone : 'a zone',
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function isKnown(value: number | string | undefined): boolean {
  return !Token.isUnresolved(value);
}

function warmsUp(plan: SlicePlan, { warmUp, stateMachineType }: PipelineSettings): boolean {
  switch (warmUp) {
    case WarmUp.AUTOMATIC:
      return isWarmUpWorthwhile(plan, stateMachineType === sfn.StateMachineType.EXPRESS);
    case WarmUp.ALWAYS:
      return true;
    case WarmUp.NEVER:
      return false;
  }
}
