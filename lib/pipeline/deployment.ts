/** From a plan and the settings of a pipeline to the plan that its stack deploys. */
import { createHash } from 'node:crypto';
import { Token } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { DeployedPlan } from '../aws/deployed-plan';
import { runtimeCodeDigest } from '../aws/runtime-code';
import { sliceMemorySize } from '../aws/slice-function';
import type { SliceFunctionOptions } from '../aws/slice-function-options';
import { optionsOfSlices } from '../aws/slice-function-options';
import type { SlicePlan } from '../plan/plan';
import { isWarmUpWorthwhile } from '../plan/schedule/warm-up';
import { threadCount } from '../plan/sizes/estimate';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import type { PipelineSettings } from './settings';
import { WarmUp } from './warm-up';

export interface Deployment {
  readonly plan: DeployedPlan;
  /** By slice. */
  readonly options: readonly SliceFunctionOptions[];
  /** By slice, in MB; tokens when CDK does not know them at synth. */
  readonly memorySizes: readonly number[];
  /** Whether later slices load while the first ones run. */
  readonly warmsUp: boolean;
}

/** @throws SlicedInferenceError for function options that Lambda does not allow, and for slices too large for Lambda */
export function planDeployment(
  plan: SlicePlan,
  { sliceFunctions, sliceFunctionOverrides }: SlicedInferencePipelineProps,
  settings: PipelineSettings,
): Deployment {
  const options = optionsOfSlices(plan.slices.length, sliceFunctions, sliceFunctionOverrides);
  const memorySizes = options.map((own, slice) => sliceMemorySize(plan, slice, own));
  // All slices share one number of threads, because the last bits of a result may depend on it. When CDK does not know
  // a memory size at synth, the plan's estimate takes its place.
  const threads = memorySizes.every(isKnown) ? threadCount(Math.max(...memorySizes)) : plan.threads;
  const deploymentDigest = digestOf(plan, threads, settings);
  return {
    plan: { ...plan, threads, deploymentDigest },
    options,
    memorySizes,
    warmsUp: warmsUp(plan, settings),
  };
}

/** Covers everything that the bits of a result depend on. */
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
