/** Checks a pipeline against AWS quotas: warns from 80 % of a quota on, and throws above it. */
import { type Duration, CfnResource, Stack, Token } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { sliceName, WHOLE } from '../../contract/keys';
import { SlicedInferenceError } from '../errors';
import type { SlicePlan } from '../plan/file/plan';
import { inform, warn } from './annotate';
import {
  CLOUDFORMATION_QUOTAS,
  LAMBDA_QUOTAS,
  MAX_DEFINITION_BYTES,
  MAX_EXPRESS_MINUTES,
  MAX_LAMBDA_ENVIRONMENT_BYTES,
  MAX_STATE_PAYLOAD_BYTES,
  MAX_PUT_BYTES,
  MAX_STACK_RESOURCES,
  MAX_STANDARD_EVENTS,
  NEW_ACCOUNT_CONCURRENCY,
  RESERVABLE_CONCURRENCY,
  S3_QUOTAS,
  STEP_FUNCTIONS_QUOTAS,
  WARNING_SHARE,
} from './quotas';
import {
  DEFAULT_MAX_MEMORY_MB,
  MAX_EPHEMERAL_STORAGE_MB,
  MAX_LAMBDA_MEMORY_MB,
  MAX_LAMBDA_TIMEOUT_SECONDS,
} from '../plan/sizes/lambda-quotas';
import { loadSeconds } from '../plan/schedule/warm-up';
import { requestBytes } from '../shapes/value-types';
import { deployedLength, type DeployedLength } from './deployed-length';
import { validateTemplateSize } from './template-size';
import type { SliceFunctionOptions } from './slice-function-options';
import { MAX_ATTEMPTS } from './workflow/retries';
import { largestOf } from '../extremes';

/** How much of a quota a pipeline uses. */
interface QuotaUse {
  /** Id of the warning, after the prefix `cdk-sliced-inference:`. */
  readonly id: string;
  /** What the quota applies to, as the subject of a sentence. */
  readonly what: string;
  /** At most, if a part of it is known only at deployment. */
  readonly used: number;
  /**
   * The use that is certain.
   *
   * @default - all of it
   */
  readonly least?: number;
  readonly limit: number;
  readonly unit: string;
  /** Where AWS documents the quota. */
  readonly link: string;
  readonly advice: string;
}

const PREFIX = 'cdk-sliced-inference:';

/** @throws SlicedInferenceError if the use certainly exceeds the limit */
export function checkQuota(scope: Construct, use: QuotaUse): void {
  const { id, what, used, least = used, limit, unit, link, advice } = use;
  if (least > limit) {
    throw new SlicedInferenceError(
      `${what} must have at most ${limit} ${unit} (${link})`,
      String(least),
      advice,
    );
  }
  if (used < WARNING_SHARE * limit) return;
  const share = Math.floor((100 * used) / limit);
  warn(
    scope,
    `${PREFIX}${id}`,
    `${what} has ${least < used ? 'up to ' : ''}${used} of at most ${limit} ${unit}, ${share} % (${link}): ${advice}`,
  );
}

/** The parts of a pipeline that the quotas apply to. */
interface QuotaSubject {
  readonly plan: SlicePlan;
  readonly isExpress: boolean;
  readonly warmsUp: boolean;
  /** By slice, in MB. A size that is known only at deployment is a token. */
  readonly memorySizes: readonly number[];
  /** By slice: the options that the user sets. */
  readonly options: readonly SliceFunctionOptions[];
  /** The function of the whole model, with consolidation. */
  readonly whole?: { readonly plan: SlicePlan; readonly options: SliceFunctionOptions };
  /** The timeout that the user sets for the state machine. */
  readonly timeout?: Duration;
  readonly functions: readonly lambda.Function[];
  readonly stateMachine: sfn.StateMachine;
}

/**
 * Refuses a plan that no stack can hold before its resources are created, which takes time. `checkQuotas` counts the resources.
 *
 * @throws SlicedInferenceError for more slices than a stack may have resources
 */
export function checkSliceCount({ slices }: SlicePlan): void {
  if (slices.length <= MAX_STACK_RESOURCES) return;
  throw new SlicedInferenceError(
    `a stack must have at most ${MAX_STACK_RESOURCES} resources (${CLOUDFORMATION_QUOTAS})`,
    `a plan of ${slices.length} slices`,
    'use fewer slices',
  );
}

/** @throws SlicedInferenceError if the pipeline exceeds a quota. Props with limits were validated before. */
export function checkQuotas(scope: Construct, subject: QuotaSubject): void {
  checkFunctions(scope, subject);
  checkEnvironment(scope, subject);
  const { plan, isExpress, warmsUp } = subject;
  checkConcurrency(scope, subject);
  warnOfColdRuns(scope, subject);
  warnOfShortTimeouts(scope, subject);
  if (!isExpress) {
    checkQuota(scope, {
      id: 'eventsQuota',
      what: 'an execution of the state machine',
      used: plan.slices.length * (EVENTS_PER_SLICE + (warmsUp ? EVENTS_PER_WARM_UP : 0)),
      limit: MAX_STANDARD_EVENTS,
      unit: 'events in its history',
      link: STEP_FUNCTIONS_QUOTAS,
      advice: 'use fewer slices',
    });
  }
  checkTemplate(scope, subject);
  informOfLargeRequests(scope, plan);
}

interface LargestFunction {
  readonly what: string;
  readonly memoryMb: number;
  readonly advice: string;
}

/** The whole model's function is at least as large as the largest slice's, as far as sizes are known. */
function largestFunction({ memorySizes, whole }: QuotaSubject): LargestFunction {
  const known = (sizes: readonly number[]): number =>
    Math.max(0, ...sizes.filter((size) => !Token.isUnresolved(size)));
  const ofSlices = known(memorySizes);
  const ofWhole = known([whole?.options.memorySize ?? 0]);
  return ofWhole > ofSlices
    ? { what: 'the function of the whole model', memoryMb: ofWhole, advice: 'set Consolidation.NEVER' }
    : { what: 'the largest slice function', memoryMb: ofSlices, advice: 'use more slices' };
}

function checkFunctions(scope: Construct, subject: QuotaSubject): void {
  const { plan } = subject;
  const { what, memoryMb, advice } = largestFunction(subject);
  checkQuota(scope, {
    ...{ id: 'memoryQuota', what, advice },
    used: memoryMb,
    limit: MAX_LAMBDA_MEMORY_MB,
    unit: 'MB of memory',
    link: LAMBDA_QUOTAS,
  });
  if (memoryMb > DEFAULT_MAX_MEMORY_MB) {
    warn(
      scope,
      `${PREFIX}newAccountMemory`,
      `${what} has ${memoryMb} MB of memory, and new AWS accounts are limited to ${DEFAULT_MAX_MEMORY_MB} MB (${LAMBDA_QUOTAS}): request a higher quota from AWS, or ${advice}`,
    );
  }
  checkQuota(scope, {
    id: 'storageQuota',
    what: 'the slice with the largest files',
    used: largestOf(plan.slices.map(({ ephemeralStorageMb }) => ephemeralStorageMb)),
    limit: MAX_EPHEMERAL_STORAGE_MB,
    unit: 'MB of /tmp',
    link: LAMBDA_QUOTAS,
    advice: 'use more slices',
  });
  checkQuota(scope, {
    id: 'timeoutQuota',
    what: 'the slice that takes the longest to load',
    used: largestOf(plan.slices.map(({ timeoutSeconds }) => timeoutSeconds)),
    limit: MAX_LAMBDA_TIMEOUT_SECONDS,
    unit: 'seconds of timeout',
    link: LAMBDA_QUOTAS,
    advice: 'use more slices',
  });
  checkQuota(scope, {
    id: 'objectQuota',
    what: 'the slice that writes the most',
    used: largestOf(plan.slices.map(({ writeBytes }) => writeBytes)),
    limit: MAX_PUT_BYTES,
    unit: 'bytes in one object',
    link: S3_QUOTAS,
    advice: 'cut elsewhere, or set smaller dimensions',
  });
}

function checkEnvironment(scope: Construct, { functions }: QuotaSubject): void {
  checkQuota(scope, {
    id: 'environmentQuota',
    what: 'the slice function with the largest environment',
    ...largestUse(functions.map((fn) => deployedLength(fn, variablesOf(fn)))),
    limit: MAX_LAMBDA_ENVIRONMENT_BYTES,
    unit: 'bytes of environment variables',
    link: LAMBDA_QUOTAS,
    advice: 'set fewer or shorter variables',
  });
}

/** A task with the most retries: entered and exited once; scheduled, started and ended at each attempt. */
const EVENTS_PER_SLICE = 2 + 3 * MAX_ATTEMPTS;

/** A failed warm-up: entered, scheduled, started, failed, exited, and the two events of the state that follows. */
const EVENTS_PER_WARM_UP = 7;

/** In a cold run the functions load at the same time if the run warms them up, and otherwise one after the other. */
function warnOfColdRuns(scope: Construct, subject: QuotaSubject): void {
  const { plan, isExpress, warmsUp, timeout } = subject;
  const loads = loadSeconds(plan);
  const seconds = Math.round(warmsUp ? largestOf(loads) : loads.reduce((sum, load) => sum + load, 0));
  const quota = isExpress ? MAX_EXPRESS_MINUTES * 60 : Infinity;
  const limit = timeout && !timeout.isUnresolved() ? timeout.toSeconds({ integral: false }) : quota;
  if (seconds >= WARNING_SHARE * limit) {
    const [id, advice] =
      limit < quota
        ? ['littleTime', 'raise its timeout']
        : ['expressQuota', `set stateMachineType to STANDARD (${STEP_FUNCTIONS_QUOTAS})`];
    warn(
      scope,
      `${PREFIX}${id}`,
      `a run whose functions are all cold spends about ${seconds} seconds loading, and the state machine times out after ${limit} seconds: ${advice}`,
    );
  }
}

/** Only of the first function whose timeout is too short to load its files: the advice is the same for the others. */
function warnOfShortTimeouts(scope: Construct, { plan, options, whole }: QuotaSubject): void {
  const functions = [
    ...loadSeconds(plan).map((load, slice) => ({
      name: `the function of ${sliceName(slice)}`,
      load,
      timeout: options[slice].timeout,
    })),
    ...(whole ? loadSeconds(whole.plan) : []).map((load) => ({
      name: `the function of the whole model ('${WHOLE}')`,
      load,
      timeout: whole?.options.timeout,
    })),
  ];
  const short = functions.find(
    ({ load, timeout }) =>
      timeout && !timeout.isUnresolved() && load >= WARNING_SHARE * timeout.toSeconds({ integral: false }),
  );
  if (short === undefined) return;
  warn(
    scope,
    `${PREFIX}littleFunctionTime`,
    `${short.name} spends about ${Math.round(short.load)} seconds loading when it is cold, and its timeout is ${String(short.timeout?.toHumanString())}: raise its timeout`,
  );
}

/** Checks the concurrency that the functions reserve, and that a run needs to warm all of them up at once. */
function checkConcurrency(scope: Construct, { plan, options, whole, warmsUp }: QuotaSubject): void {
  const sumOf = (numbers: readonly (number | undefined)[]): number =>
    numbers.reduce<number>((sum, number) => sum + (Token.isUnresolved(number) ? 0 : (number ?? 0)), 0);
  const reserved = sumOf(
    [...options, ...(whole ? [whole.options] : [])].map(
      (own) => own.reservedConcurrentExecutions ?? own.provisionedConcurrentExecutions,
    ),
  );
  if (reserved >= WARNING_SHARE * RESERVABLE_CONCURRENCY) {
    warn(
      scope,
      `${PREFIX}concurrencyQuota`,
      `the functions of the pipeline reserve ${reserved} concurrent executions, and by default an account can reserve ${RESERVABLE_CONCURRENCY} (${LAMBDA_QUOTAS}): reserve fewer, or request a higher quota from AWS`,
    );
  }
  if (!warmsUp || plan.slices.length <= NEW_ACCOUNT_CONCURRENCY) return;
  warn(
    scope,
    `${PREFIX}newAccountConcurrency`,
    `a run calls all ${plan.slices.length} functions at once to warm them up, and new AWS accounts may be limited to ${NEW_ACCOUNT_CONCURRENCY} concurrent executions (${LAMBDA_QUOTAS}): request a higher quota from AWS, or set warmUp to NEVER`,
  );
}

/**
 * With fewer slices, the definition stays far below its quota. The check is skipped then, because resolving tokens takes time.
 */
const MANY_SLICES = 50;

function checkTemplate(scope: Construct, { plan, stateMachine }: QuotaSubject): void {
  checkQuota(scope, {
    id: 'resourcesQuota',
    what: 'the pipeline',
    used: scope.node.findAll().filter((construct) => CfnResource.isCfnResource(construct)).length,
    limit: MAX_STACK_RESOURCES,
    unit: 'resources in its stack',
    link: CLOUDFORMATION_QUOTAS,
    advice: 'use fewer slices, or no provisioned concurrency',
  });
  validateTemplateSize(scope);
  if (plan.slices.length < MANY_SLICES) return;
  const { definitionString } = stateMachine.node.defaultChild as sfn.CfnStateMachine;
  checkQuota(scope, {
    id: 'definitionQuota',
    what: "the state machine's definition",
    ...largestUse([deployedLength(scope, definitionString)]),
    limit: MAX_DEFINITION_BYTES,
    unit: 'bytes',
    link: STEP_FUNCTIONS_QUOTAS,
    advice: 'use fewer slices',
  });
}

function largestUse(lengths: readonly DeployedLength[]): { readonly used: number; readonly least: number } {
  return {
    used: largestOf(lengths.map(({ most }) => most)),
    least: largestOf(lengths.map(({ least }) => least)),
  };
}

/** Lambda counts the bytes of the variables as JSON. */
function variablesOf(fn: lambda.Function): unknown {
  const { environment } = fn.node.defaultChild as lambda.CfnFunction;
  const { variables = {} } = (Stack.of(fn).resolve(environment) ?? {}) as { readonly variables?: unknown };
  return variables;
}

/** Only an info: requests that are too large to send inline can be uploaded to S3. */
function informOfLargeRequests(scope: Construct, { inputs, dimensions }: SlicePlan): void {
  const bytes = requestBytes(inputs, dimensions);
  const inline = Math.ceil((bytes * 4) / 3);
  if (inline < WARNING_SHARE * MAX_STATE_PAYLOAD_BYTES) return;
  inform(
    scope,
    undefined,
    `a request with the planned dimensions takes ${inline} bytes inline, and an execution's input can have at most ${MAX_STATE_PAYLOAD_BYTES} bytes (${STEP_FUNCTIONS_QUOTAS}): upload its tensors to the bucket below inputs/`,
  );
}
