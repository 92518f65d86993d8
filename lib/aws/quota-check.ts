/** Checks a pipeline against AWS quotas: warns from 80 % of a quota on, and throws above it. */
import { type Duration, CfnResource, Stack, Token } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { sliceName, WHOLE } from '../../contract/keys';
import { SlicedInferenceError } from '../errors';
import { largestOf } from '../extremes';
import type { SlicePlan } from '../plan/file/plan';
import { loadSeconds } from '../plan/schedule/schedule';
import {
  DEFAULT_MAX_MEMORY_MB,
  MAX_EPHEMERAL_STORAGE_MB,
  MAX_LAMBDA_MEMORY_MB,
  MAX_LAMBDA_TIMEOUT_SECONDS,
} from '../plan/sizes/lambda-quotas';
import { requestBytes } from '../shapes/value-types';
import { inform, warn } from './annotate';
import { deployedLength, validateTemplateSize } from './deployed-length';
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
import type { SliceFunctionOptions } from './slice-function-options';
import { MAX_ATTEMPTS } from './workflow/invoke-function';

interface QuotaUse {
  readonly id: string;
  /** What the quota applies to, as the subject of a sentence. */
  readonly what: string;
  /** At most, if a part of it is known only at deployment. */
  readonly most: number;
  /**
   * The use that is certain.
   *
   * @default - all of it
   */
  readonly least?: number;
  readonly limit: number;
  readonly unit: string;
  readonly link: string;
  readonly advice: string;
}

function checkQuota(scope: Construct, use: QuotaUse): void {
  const { id, what, most, least = most, limit, unit, link, advice } = use;
  if (least > limit) {
    throw new SlicedInferenceError(
      `${what} must have at most ${limit} ${unit} (${link})`,
      String(least),
      advice,
    );
  }
  if (most < WARNING_SHARE * limit) return;
  const used = `${least < most ? 'up to ' : ''}${most} of at most ${limit} ${unit}`;
  warn(scope, id, `${what} has ${used}, ${Math.floor((100 * most) / limit)} % (${link}): ${advice}`);
}

interface QuotaSubject {
  readonly plan: SlicePlan;
  readonly isExpress: boolean;
  readonly warmsUp: boolean;
  readonly memorySizes: readonly number[];
  readonly options: readonly SliceFunctionOptions[];
  readonly whole?: { readonly plan: SlicePlan; readonly options: SliceFunctionOptions };
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

export function checkQuotas(scope: Construct, subject: QuotaSubject): void {
  const uses = [
    ...functionUses(subject),
    environmentUse(subject),
    ...(subject.isExpress ? [] : [historyUse(subject)]),
    resourcesUse(scope),
    ...definitionUses(scope, subject),
  ];
  for (const use of uses) checkQuota(scope, use);
  validateTemplateSize(scope);
  warnOfNewAccounts(scope, subject);
  warnOfConcurrency(scope, subject);
  warnOfColdRuns(scope, subject);
  warnOfShortTimeouts(scope, subject);
  informOfLargeRequests(scope, subject.plan);
}

/** The whole model's function is at least as large as the largest slice's, as far as sizes are known. */
function largestFunction({ memorySizes, whole }: QuotaSubject) {
  const known = (sizes: readonly number[]): number =>
    Math.max(0, ...sizes.filter((size) => !Token.isUnresolved(size)));
  const ofSlices = known(memorySizes);
  const ofWhole = known([whole?.options.memorySize ?? 0]);
  return ofWhole > ofSlices
    ? { what: 'the function of the whole model', most: ofWhole, advice: 'set Consolidation.NEVER' }
    : { what: 'the largest slice function', most: ofSlices, advice: 'use more slices' };
}

function functionUses(subject: QuotaSubject): QuotaUse[] {
  const ofLargest = (field: 'ephemeralStorageMb' | 'timeoutSeconds' | 'writeBytes') =>
    largestOf(subject.plan.slices.map((slice) => slice[field]));
  const link = LAMBDA_QUOTAS;
  const advice = 'use more slices';
  return [
    {
      ...{ id: 'memoryQuota', ...largestFunction(subject) },
      ...{ limit: MAX_LAMBDA_MEMORY_MB, unit: 'MB of memory', link },
    },
    {
      ...{ id: 'storageQuota', what: 'the slice with the largest files' },
      ...{ most: ofLargest('ephemeralStorageMb'), limit: MAX_EPHEMERAL_STORAGE_MB, unit: 'MB of /tmp' },
      ...{ link, advice },
    },
    {
      ...{ id: 'timeoutQuota', what: 'the slice that takes the longest to load' },
      ...{ most: ofLargest('timeoutSeconds'), limit: MAX_LAMBDA_TIMEOUT_SECONDS, unit: 'seconds of timeout' },
      ...{ link, advice },
    },
    {
      ...{ id: 'objectQuota', what: 'the slice that writes the most', most: ofLargest('writeBytes') },
      ...{ limit: MAX_PUT_BYTES, unit: 'bytes in one object', link: S3_QUOTAS },
      advice: 'cut elsewhere, or set smaller dimensions',
    },
  ];
}

/** Lambda counts the bytes of the variables as JSON. */
function environmentUse({ functions }: QuotaSubject): QuotaUse {
  const lengths = functions.map((fn) => {
    const { environment } = fn.node.defaultChild as lambda.CfnFunction;
    const { variables = {} } = (Stack.of(fn).resolve(environment) ?? {}) as { readonly variables?: unknown };
    return deployedLength(fn, variables);
  });
  return {
    ...{ id: 'environmentQuota', what: 'the slice function with the largest environment' },
    most: largestOf(lengths.map(({ most }) => most)),
    least: largestOf(lengths.map(({ least }) => least)),
    ...{ limit: MAX_LAMBDA_ENVIRONMENT_BYTES, unit: 'bytes of environment variables', link: LAMBDA_QUOTAS },
    advice: 'set fewer or shorter variables',
  };
}

/** A task with the most retries: entered and exited once; scheduled, started and ended at each attempt. */
const EVENTS_PER_SLICE = 2 + 3 * MAX_ATTEMPTS;

/** A failed warm-up: entered, scheduled, started, failed, exited, and the two events of the state that follows. */
const EVENTS_PER_WARM_UP = 7;

function historyUse({ plan, warmsUp }: QuotaSubject): QuotaUse {
  return {
    ...{ id: 'eventsQuota', what: 'an execution of the state machine' },
    most: plan.slices.length * (EVENTS_PER_SLICE + (warmsUp ? EVENTS_PER_WARM_UP : 0)),
    ...{ limit: MAX_STANDARD_EVENTS, unit: 'events in its history', link: STEP_FUNCTIONS_QUOTAS },
    advice: 'use fewer slices',
  };
}

function resourcesUse(scope: Construct): QuotaUse {
  return {
    ...{ id: 'resourcesQuota', what: 'the pipeline' },
    most: scope.node.findAll().filter((construct) => CfnResource.isCfnResource(construct)).length,
    ...{ limit: MAX_STACK_RESOURCES, unit: 'resources in its stack', link: CLOUDFORMATION_QUOTAS },
    advice: 'use fewer slices, or no provisioned concurrency',
  };
}

/** With fewer slices, the definition stays far below its quota. The check is skipped then, because resolving tokens takes time. */
const MANY_SLICES = 50;

function definitionUses(scope: Construct, { plan, stateMachine }: QuotaSubject): QuotaUse[] {
  if (plan.slices.length < MANY_SLICES) return [];
  const { definitionString } = stateMachine.node.defaultChild as sfn.CfnStateMachine;
  return [
    {
      ...{ id: 'definitionQuota', what: "the state machine's definition" },
      ...deployedLength(scope, definitionString),
      ...{ limit: MAX_DEFINITION_BYTES, unit: 'bytes', link: STEP_FUNCTIONS_QUOTAS },
      advice: 'use fewer slices',
    },
  ];
}

function warnOfNewAccounts(scope: Construct, subject: QuotaSubject): void {
  const { what, most, advice } = largestFunction(subject);
  if (most > DEFAULT_MAX_MEMORY_MB) {
    warn(
      scope,
      'newAccountMemory',
      `${what} has ${most} MB of memory, and new AWS accounts are limited to ${DEFAULT_MAX_MEMORY_MB} MB (${LAMBDA_QUOTAS}): request a higher quota from AWS, or ${advice}`,
    );
  }
  const { length } = subject.plan.slices;
  if (subject.warmsUp && length > NEW_ACCOUNT_CONCURRENCY) {
    warn(
      scope,
      'newAccountConcurrency',
      `a run calls all ${length} functions at once to warm them up, and new AWS accounts may be limited to ${NEW_ACCOUNT_CONCURRENCY} concurrent executions (${LAMBDA_QUOTAS}): request a higher quota from AWS, or set warmUp to NEVER`,
    );
  }
}

function warnOfConcurrency(scope: Construct, { options, whole }: QuotaSubject): void {
  const reserved = [...options, ...(whole ? [whole.options] : [])]
    .map((own) => own.reservedConcurrentExecutions ?? own.provisionedConcurrentExecutions ?? 0)
    .reduce((sum, own) => sum + (Token.isUnresolved(own) ? 0 : own), 0);
  if (reserved < WARNING_SHARE * RESERVABLE_CONCURRENCY) return;
  warn(
    scope,
    'concurrencyQuota',
    `the functions of the pipeline reserve ${reserved} concurrent executions, and by default an account can reserve ${RESERVABLE_CONCURRENCY} (${LAMBDA_QUOTAS}): reserve fewer, or request a higher quota from AWS`,
  );
}

/** In a cold run the functions load at the same time if the run warms them up, and otherwise one after the other. */
function warnOfColdRuns(scope: Construct, { plan, isExpress, warmsUp, timeout }: QuotaSubject): void {
  const loads = loadSeconds(plan);
  const seconds = Math.round(warmsUp ? largestOf(loads) : loads.reduce((sum, load) => sum + load, 0));
  const quota = isExpress ? MAX_EXPRESS_MINUTES * 60 : Infinity;
  const limit = timeout && !timeout.isUnresolved() ? timeout.toSeconds({ integral: false }) : quota;
  if (seconds < WARNING_SHARE * limit) return;
  const [id, advice] =
    limit < quota
      ? ['littleTime', 'raise its timeout']
      : ['expressQuota', `set stateMachineType to STANDARD (${STEP_FUNCTIONS_QUOTAS})`];
  warn(
    scope,
    id,
    `a run whose functions are all cold spends about ${seconds} seconds loading, and the state machine times out after ${limit} seconds: ${advice}`,
  );
}

/** Only of the first function whose timeout is too short to load its files: the advice is the same for the others. */
function warnOfShortTimeouts(scope: Construct, { plan, options, whole }: QuotaSubject): void {
  const functions = [
    ...loadSeconds(plan).map((load, slice) => ({ name: sliceName(slice), load, ...options[slice] })),
    ...(whole ? loadSeconds(whole.plan) : []).map((load) => ({
      ...{ name: `the whole model ('${WHOLE}')`, load },
      ...whole?.options,
    })),
  ];
  for (const { name, load, timeout } of functions) {
    if (!timeout || timeout.isUnresolved()) continue;
    if (load < WARNING_SHARE * timeout.toSeconds({ integral: false })) continue;
    warn(
      scope,
      'littleFunctionTime',
      `the function of ${name} spends about ${Math.round(load)} seconds loading when it is cold, and its timeout is ${timeout.toHumanString()}: raise its timeout`,
    );
    return;
  }
}

/** Only an info: requests that are too large to send inline can be uploaded to S3. */
function informOfLargeRequests(scope: Construct, { inputs, dimensions }: SlicePlan): void {
  const inline = Math.ceil((requestBytes(inputs, dimensions) * 4) / 3);
  if (inline < WARNING_SHARE * MAX_STATE_PAYLOAD_BYTES) return;
  inform(
    scope,
    undefined,
    `a request with the planned dimensions takes ${inline} bytes inline, and an execution's input can have at most ${MAX_STATE_PAYLOAD_BYTES} bytes (${STEP_FUNCTIONS_QUOTAS}): upload its tensors to the bucket below inputs/`,
  );
}
