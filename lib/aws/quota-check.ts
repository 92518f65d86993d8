/** Holds a pipeline against the quotas of AWS: warned of from 80 % on, refused beyond. */
import type { Duration } from 'aws-cdk-lib';
import { Annotations, CfnResource, Stack, Token } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { sliceName } from '../../contract/keys';
import { SlicedInferenceError } from '../errors';
import type { SlicePlan } from '../plan/plan';
import {
  CLOUDFORMATION_QUOTAS,
  IAM_QUOTAS,
  LAMBDA_QUOTAS,
  MAX_DEFINITION_BYTES,
  MAX_EXPRESS_MINUTES,
  MAX_INLINE_POLICY_CHARACTERS,
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
import { plannedBytes } from '../shapes/value-types';
import type { SliceFunctionOptions } from './slice-function-options';

/** What a pipeline uses of a quota. */
export interface QuotaUse {
  /** What warnings are acknowledged by, behind the library's name. */
  readonly id: string;
  /** The thing that has the quota, as the subject of a sentence. */
  readonly what: string;
  readonly used: number;
  readonly limit: number;
  readonly unit: string;
  /** Where AWS documents the quota. */
  readonly link: string;
  readonly advice: string;
}

const PREFIX = 'cdk-sliced-inference:';

/** @throws SlicedInferenceError when more is used than there is */
export function checkQuota(scope: Construct, use: QuotaUse): void {
  const { id, what, used, limit, unit, link, advice } = use;
  if (used > limit) {
    throw new SlicedInferenceError(
      `${what} must have at most ${limit} ${unit} (${link})`,
      String(used),
      advice,
    );
  }
  if (used < WARNING_SHARE * limit) return;
  const share = Math.floor((100 * used) / limit);
  Annotations.of(scope).addWarningV2(
    `${PREFIX}${id}`,
    `${what} has ${used} of at most ${limit} ${unit}, ${share} % (${link}): ${advice}`,
  );
}

/** What of a pipeline its quotas are held against. */
export interface QuotaSubject {
  readonly plan: SlicePlan;
  readonly isExpress: boolean;
  readonly warmsUp: boolean;
  /** By slice, in MB; tokens where it is not known yet. */
  readonly memorySizes: readonly number[];
  /** By slice: what the user set. */
  readonly options: readonly SliceFunctionOptions[];
  /** What the user set for the state machine. */
  readonly timeout?: Duration;
  readonly functions: readonly lambda.Function[];
  readonly stateMachine: sfn.StateMachine;
}

/** @throws SlicedInferenceError for a quota that is broken; what has a name of its own was checked before */
export function checkQuotas(scope: Construct, subject: QuotaSubject): void {
  checkFunctions(scope, subject);
  const { plan, isExpress, warmsUp } = subject;
  checkConcurrency(scope, subject);
  warnOfColdRuns(scope, subject);
  if (!isExpress) {
    checkQuota(scope, {
      id: 'eventsQuota',
      what: 'an execution of the state machine',
      used: plan.slices.length * (EVENTS_PER_SLICE + (warmsUp ? EVENTS_PER_WARM_UP : 0)),
      limit: MAX_STANDARD_EVENTS,
      unit: 'events in its history',
      link: STEP_FUNCTIONS_QUOTAS,
      advice: 'ask for fewer slices',
    });
  }
  checkTemplate(scope, subject);
  informOfLargeRequests(scope, plan);
}

function checkFunctions(scope: Construct, { plan, memorySizes, functions }: QuotaSubject): void {
  const largest = Math.max(0, ...memorySizes.filter((size) => !Token.isUnresolved(size)));
  checkQuota(scope, {
    id: 'memoryQuota',
    what: 'the largest slice function',
    used: largest,
    limit: MAX_LAMBDA_MEMORY_MB,
    unit: 'MB of memory',
    link: LAMBDA_QUOTAS,
    advice: 'ask for more slices',
  });
  if (largest > DEFAULT_MAX_MEMORY_MB) {
    Annotations.of(scope).addWarningV2(
      `${PREFIX}newAccountMemory`,
      `the largest slice function has ${largest} MB of memory, and new accounts are limited to ${DEFAULT_MAX_MEMORY_MB} MB (${LAMBDA_QUOTAS}): ask AWS for more, or for more slices`,
    );
  }
  checkQuota(scope, {
    id: 'storageQuota',
    what: 'the slice with the largest files',
    used: Math.max(...plan.slices.map(({ ephemeralStorageMb }) => ephemeralStorageMb)),
    limit: MAX_EPHEMERAL_STORAGE_MB,
    unit: 'MB of /tmp',
    link: LAMBDA_QUOTAS,
    advice: 'ask for more slices',
  });
  checkQuota(scope, {
    id: 'timeoutQuota',
    what: 'the slice that takes longest to load',
    used: Math.max(...plan.slices.map(({ timeoutSeconds }) => timeoutSeconds)),
    limit: MAX_LAMBDA_TIMEOUT_SECONDS,
    unit: 'seconds for a call',
    link: LAMBDA_QUOTAS,
    advice: 'ask for more slices',
  });
  checkQuota(scope, {
    id: 'objectQuota',
    what: 'the slice that writes most',
    used: Math.max(...plan.slices.map(({ writeBytes }) => writeBytes)),
    limit: MAX_PUT_BYTES,
    unit: 'bytes in one object',
    link: S3_QUOTAS,
    advice: 'cut elsewhere, or ask for smaller dimensions',
  });
  const stack = Stack.of(scope);
  checkQuota(scope, {
    id: 'environmentQuota',
    what: 'the slice function with most environment variables',
    used: Math.max(...functions.map((fn) => lengthOf(stack, cfnFunction(fn).environment))),
    limit: MAX_LAMBDA_ENVIRONMENT_BYTES,
    unit: 'bytes of them',
    link: LAMBDA_QUOTAS,
    advice: 'pass fewer or shorter ones',
  });
}

/** A task that is tried as often as it may be: it is entered, scheduled, started, fails or ends, and is left. */
const EVENTS_PER_SLICE = 2 + 10 * 3;

/** Entered, scheduled, started, failed, left, and the state that it then goes to. */
const EVENTS_PER_WARM_UP = 7;

/** A run whose functions are all cold loads them side by side or one after the other. */
function warnOfColdRuns(scope: Construct, subject: QuotaSubject): void {
  const { plan, isExpress, warmsUp, options, timeout } = subject;
  const loads = loadSeconds(plan);
  const seconds = Math.round(warmsUp ? Math.max(...loads) : loads.reduce((sum, load) => sum + load, 0));
  const most = isExpress ? MAX_EXPRESS_MINUTES * 60 : Infinity;
  const limit = timeout && !timeout.isUnresolved() ? timeout.toSeconds({ integral: false }) : most;
  if (seconds >= WARNING_SHARE * limit) {
    const [id, advice] =
      limit < most
        ? ['littleTime', 'raise its timeout']
        : ['expressQuota', `set stateMachineType to STANDARD (${STEP_FUNCTIONS_QUOTAS})`];
    Annotations.of(scope).addWarningV2(
      `${PREFIX}${id}`,
      `a run whose functions are all cold loads for some ${seconds} seconds, and the state machine has ${limit} in all: ${advice}`,
    );
  }
  const short = loads.findIndex((load, slice) => {
    const own = options[slice].timeout;
    return own && !own.isUnresolved() && load >= WARNING_SHARE * own.toSeconds({ integral: false });
  });
  if (short < 0) return;
  Annotations.of(scope).addWarningV2(
    `${PREFIX}littleFunctionTime`,
    `the function of ${sliceName(short)} loads for some ${Math.round(loads[short])} seconds when it is cold, and has a timeout of ${String(options[short].timeout?.toHumanString())}: raise it`,
  );
}

/** What functions reserve, and what all of them need at once when a run warms them up. */
function checkConcurrency(scope: Construct, { plan, options, warmsUp }: QuotaSubject): void {
  const sumOf = (numbers: readonly (number | undefined)[]): number =>
    numbers.reduce<number>((sum, number) => sum + (Token.isUnresolved(number) ? 0 : (number ?? 0)), 0);
  const reserved = sumOf(
    options.map((own) => own.reservedConcurrentExecutions ?? own.provisionedConcurrentExecutions),
  );
  if (reserved >= WARNING_SHARE * RESERVABLE_CONCURRENCY) {
    Annotations.of(scope).addWarningV2(
      `${PREFIX}concurrencyQuota`,
      `the slice functions take ${reserved} concurrent calls for themselves, and an account may give away ${RESERVABLE_CONCURRENCY} unless AWS has raised that (${LAMBDA_QUOTAS}): ask for fewer, or AWS for more`,
    );
  }
  if (!warmsUp || plan.slices.length <= NEW_ACCOUNT_CONCURRENCY) return;
  Annotations.of(scope).addWarningV2(
    `${PREFIX}newAccountConcurrency`,
    `a run calls all ${plan.slices.length} functions at once to warm them up, and new accounts may be limited to ${NEW_ACCOUNT_CONCURRENCY} concurrent calls (${LAMBDA_QUOTAS}): ask AWS for more, or set warmUp to NEVER`,
  );
}

/** Policies and definitions cannot come near their quotas with fewer slices, and resolving them takes time. */
const MANY_SLICES = 50;

function checkTemplate(scope: Construct, { plan, functions, stateMachine }: QuotaSubject): void {
  checkQuota(scope, {
    id: 'resourcesQuota',
    what: 'the stack of the pipeline',
    used: scope.node.findAll().filter((construct) => CfnResource.isCfnResource(construct)).length,
    limit: MAX_STACK_RESOURCES,
    unit: 'resources, those of the pipeline alone counted',
    link: CLOUDFORMATION_QUOTAS,
    advice: 'ask for fewer slices, or for no provisioned concurrency',
  });
  if (plan.slices.length < MANY_SLICES) return;
  const stack = Stack.of(scope);
  checkQuota(scope, {
    id: 'definitionQuota',
    what: "the state machine's definition",
    used: lengthOf(stack, (stateMachine.node.defaultChild as sfn.CfnStateMachine).definitionString),
    limit: MAX_DEFINITION_BYTES,
    unit: 'bytes',
    link: STEP_FUNCTIONS_QUOTAS,
    advice: 'ask for fewer slices',
  });
  const roles = functions.map(({ role }) => role?.node.defaultChild as iam.CfnRole);
  checkQuota(scope, {
    id: 'policyQuota',
    what: 'the role of the slice that reads from most others',
    used: Math.max(...roles.map(({ policies }) => lengthOf(stack, policies))),
    limit: MAX_INLINE_POLICY_CHARACTERS,
    unit: 'characters of inline policies',
    link: IAM_QUOTAS,
    advice: 'ask for fewer slices',
  });
}

/** As JSON; references count as what they look like in the template, about as long as what they stand for. */
function lengthOf(stack: Stack, value: unknown): number {
  const resolved: unknown = stack.resolve(value);
  return resolved === undefined ? 0 : JSON.stringify(resolved).length;
}

function cfnFunction(fn: lambda.Function): lambda.CfnFunction {
  return fn.node.defaultChild as lambda.CfnFunction;
}

/** No limit of the pipeline, since requests may lie in S3: a word to those who send them inline. */
function informOfLargeRequests(scope: Construct, { inputs, dimensions }: SlicePlan): void {
  const bytes = plannedBytes(inputs, dimensions).reduce((sum, size) => sum + size, 0);
  const inline = Math.ceil((bytes * 4) / 3);
  if (inline < WARNING_SHARE * MAX_STATE_PAYLOAD_BYTES) return;
  Annotations.of(scope).addInfo(
    `a request of the planned dimensions takes ${inline} bytes inline, and an execution's input has at most ${MAX_STATE_PAYLOAD_BYTES} (${STEP_FUNCTIONS_QUOTAS}): put its tensors into the bucket below inputs/`,
  );
}
