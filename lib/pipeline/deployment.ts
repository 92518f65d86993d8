/** Computes the plan that a stack deploys from the model's plan and the pipeline's settings. */
import { hash } from 'node:crypto';
import { type Duration, Token } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { WHOLE } from '../../contract/keys';
import type { DeployedPlan } from '../aws/deployed-plan';
import { runtimeCodeDigest } from '../aws/runtime-code';
import { sliceMemorySize } from '../aws/slice-function';
import { type SliceFunctionOptions, optionsOfSlices, optionsOfWhole } from '../aws/slice-function-options';
import { MAX_EXPRESS_ASK_SECONDS } from '../aws/workflow/whole-model';
import type { SlicePlan } from '../plan/file/plan';
import { areWarmUpsWorthwhile, filesOfSlices } from '../plan/schedule/schedule';
import { threadCount } from '../plan/sizes/estimate';
import { withinSplits } from '../split/split';
import {
  MAX_EPHEMERAL_STORAGE_MB,
  MAX_LAMBDA_MEMORY_MB,
  MAX_LAMBDA_TIMEOUT_SECONDS,
} from '../plan/sizes/lambda-quotas';
import { SlicedInferenceError, quoted } from '../errors';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import type { PipelineSettings } from './settings';
import { Prepacking, WarmUp } from './choices';
import { largestOf } from '../extremes';

export interface PipelineDeployment {
  readonly plan: DeployedPlan;
  readonly options: readonly SliceFunctionOptions[];
  readonly memorySizes: readonly number[];
  readonly warmsUp: boolean;
  readonly whole?: {
    /** One slice, with the threads and the deployment digest of the slices. */
    readonly plan: DeployedPlan;
    readonly options: SliceFunctionOptions;
    /** See `WholeModelStates`. */
    readonly askSeconds: number;
  };
}

/**
 * @param whole with consolidation: the whole model as one slice, and the milliseconds of a warm call by the model of cost
 * @throws SlicedInferenceError if Lambda does not allow the function options, or if a slice or the whole model is too large for Lambda
 */
export function planDeployment(
  plan: SlicePlan,
  { sliceFunctions, sliceFunctionOverrides, timeout }: SlicedInferencePipelineProps,
  settings: PipelineSettings,
  whole?: { readonly plan: SlicePlan; readonly callMs: number },
): PipelineDeployment {
  const others = whole ? [WHOLE] : [];
  const options = optionsOfSlices(plan.slices.length, others, sliceFunctions, sliceFunctionOverrides);
  const memorySizes = options.map((own, slice) => sliceMemorySize(plan, slice, own));
  const wholeOptions = whole && {
    memorySize: wholeMemory(whole.plan, memorySizes),
    ...optionsOfWhole(sliceFunctions, sliceFunctionOverrides),
  };
  const vcpus = Math.max(deployedThreads(plan, memorySizes), threadsOf(wholeOptions?.memorySize));
  const threads = withinSplits(vcpus, plan.splits);
  const prepacking = isPrepacked(plan, settings);
  const deploymentDigest = digestOf(plan, { threads, prepacking }, settings, whole?.plan);
  return {
    plan: { ...plan, threads, prepacking, deploymentDigest },
    options,
    memorySizes,
    warmsUp: warmsUp(plan, settings),
    ...(whole &&
      wholeOptions && {
        whole: {
          plan: { ...whole.plan, threads, prepacking, deploymentDigest },
          options: wholeOptions,
          askSeconds: askSeconds(whole.callMs, settings, timeout),
        },
      }),
  };
}

/** The whole model computes with all of its vCPUs, and the slices with as many threads, because bits may depend on them. */
function threadsOf(memorySize: number | undefined): number {
  return memorySize === undefined || !isKnown(memorySize) ? 1 : threadCount(memorySize);
}

const WITHOUT_WHOLE = 'leave Consolidation.ALWAYS out';

/** In MB: at least that of the largest slice, so that the whole model computes as fast as the slices. */
function wholeMemory({ slices: [whole] }: SlicePlan, memorySizes: readonly number[]): number {
  checkFits(whole.memoryMb, MAX_LAMBDA_MEMORY_MB, 'memory', WITHOUT_WHOLE);
  checkFits(whole.ephemeralStorageMb, MAX_EPHEMERAL_STORAGE_MB, '/tmp', WITHOUT_WHOLE);
  return largestOf([whole.memoryMb, ...memorySizes.filter(isKnown)]);
}

export function checkFits(megabytes: number, most: number, what: string, advice: string): void {
  if (megabytes <= most) return;
  throw new SlicedInferenceError(
    `the whole model must fit a Lambda function of ${most} MB of ${what}`,
    `an estimate of ${megabytes} MB`,
    advice,
  );
}

/** A call takes longer than modelled if the requests are larger than planned. */
const ASK_FACTOR = 3;
/** For what the model of cost does not know, such as a slow S3. */
const ASK_SPARE_SECONDS = 10;

/**
 * At most half of the time of an execution, so that slices have the rest, and no longer than Lambda allows. A whole number, as the
 * state language demands.
 *
 * @param timeout of an execution, if the user sets it
 */
function askSeconds(callMs: number, { stateMachineType }: PipelineSettings, timeout?: Duration): number {
  const isExpress = stateMachineType === sfn.StateMachineType.EXPRESS;
  const quota = isExpress ? MAX_EXPRESS_ASK_SECONDS : MAX_LAMBDA_TIMEOUT_SECONDS;
  const isKnownTimeout = timeout !== undefined && !timeout.isUnresolved();
  const half = isKnownTimeout
    ? Math.max(1, Math.floor(timeout.toSeconds({ integral: false }) / 2))
    : Infinity;
  return Math.min(quota, half, ASK_SPARE_SECONDS + Math.ceil((ASK_FACTOR * callMs) / 1000));
}

/**
 * All slices share one thread count, because the last bits of a result may depend on it. If the user sets memory sizes, it
 * follows the largest function; the plan's count is for the plan's sizes, or for sizes that are known only at deployment.
 */
function deployedThreads(plan: SlicePlan, memorySizes: readonly number[]): number {
  const isPlanned = memorySizes.every((size, slice) => size === plan.slices[slice].memoryMb);
  return isPlanned || !memorySizes.every(isKnown) ? plan.threads : threadCount(largestOf(memorySizes));
}

function digestOf(
  plan: SlicePlan,
  { threads, prepacking }: { readonly threads: number; readonly prepacking: boolean },
  { architecture, expressZone }: PipelineSettings,
  whole?: SlicePlan,
): string {
  const parts = [
    plan.planDigest,
    runtimeCodeDigest(architecture),
    architecture.name,
    threads,
    prepacking,
    isKnown(expressZone) ? expressZone : 'a zone',
    ...(whole ? [whole.planDigest] : []),
  ];
  return hash('sha256', JSON.stringify(parts));
}

/** The memory of the plan is that of its choice. */
function isPrepacked({ prepacking = true }: SlicePlan, settings: PipelineSettings): boolean {
  const wanted = prepacking ? Prepacking.ALWAYS : Prepacking.NEVER;
  if (settings.prepacking === Prepacking.AUTOMATIC || settings.prepacking === wanted) return prepacking;
  throw new SlicedInferenceError(
    `prepacking must be '${wanted}', with which the model was sliced`,
    quoted(settings.prepacking),
    'leave it out, or slice the model again with --prepacking',
  );
}

function isKnown(value: number | string | undefined): boolean {
  return !Token.isUnresolved(value);
}

function warmsUp(plan: SlicePlan, { warmUp, stateMachineType }: PipelineSettings): boolean {
  switch (warmUp) {
    case WarmUp.AUTOMATIC:
      return areWarmUpsWorthwhile(filesOfSlices(plan), stateMachineType === sfn.StateMachineType.EXPRESS);
    case WarmUp.ALWAYS:
      return true;
    case WarmUp.NEVER:
      return false;
  }
}
