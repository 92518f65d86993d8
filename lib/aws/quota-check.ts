/** Checks a pipeline against AWS quotas. CDK itself refuses too many resources, and warns of a large template. */
import { type Duration, Stack, Token } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { sliceName } from '../../contract/keys';
import { SlicedInferenceError } from '../errors';
import { largestOf, sumOf } from '../extremes';
import type { SlicePlan } from '../plan/file/plan';
import { loadSeconds } from '../plan/schedule/schedule';
import { DEFAULT_MAX_MEMORY_MB, MAX_LAMBDA_TIMEOUT_SECONDS } from '../plan/sizes/lambda-quotas';
import { SHORTER_CALLS, callText, longCallNote } from '../plan/notes';
import { warn } from './annotate';
import { deployedLength } from './deployed-length';
import * as quotas from './quotas';
import type { SliceFunctionOptions } from './slice-function-options';

interface QuotaSubject {
  readonly plan: SlicePlan;
  readonly isExpress: boolean;
  readonly warmsUp: boolean;
  readonly memorySizes: readonly number[];
  readonly whole?: { readonly plan: SlicePlan; readonly options: SliceFunctionOptions };
  readonly timeout?: Duration;
  /** Where runs are slowest. @default - not known */
  readonly coldRunSeconds?: number;
  /** Those of the slices first. */
  readonly functions: readonly lambda.Function[];
}

export function checkQuotas(scope: Construct, subject: QuotaSubject): void {
  checkObjects(subject);
  checkEnvironments(subject);
  warnOfNewAccounts(scope, subject);
  checkCalls(scope, subject);
  warnOfColdRuns(scope, subject);
}

function checkObjects({ plan }: QuotaSubject): void {
  const bytes = largestOf(plan.slices.map(({ writeBytes }) => writeBytes));
  if (bytes <= quotas.MAX_PUT_BYTES) return;
  throw new SlicedInferenceError(
    `the slice that writes the most must have at most ${quotas.MAX_PUT_BYTES} bytes in one object (${quotas.S3_QUOTAS})`,
    String(bytes),
    'cut elsewhere, or set smaller dimensions',
  );
}

/** Lambda counts the bytes of the variables as JSON. A part of them may be known only at deployment. */
function checkEnvironments({ functions }: QuotaSubject): void {
  for (const fn of functions) {
    const { environment } = fn.node.defaultChild as lambda.CfnFunction;
    const { variables = {} } = (Stack.of(fn).resolve(environment) ?? {}) as { readonly variables?: unknown };
    const { least } = deployedLength(fn, variables);
    if (least <= quotas.MAX_LAMBDA_ENVIRONMENT_BYTES) continue;
    throw new SlicedInferenceError(
      `the environment of a slice function must have at most ${quotas.MAX_LAMBDA_ENVIRONMENT_BYTES} bytes (${quotas.LAMBDA_QUOTAS})`,
      String(least),
      'set fewer or shorter variables',
    );
  }
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

function warnOfNewAccounts(scope: Construct, subject: QuotaSubject): void {
  const { what, most, advice } = largestFunction(subject);
  if (most > DEFAULT_MAX_MEMORY_MB) {
    warn(
      scope,
      'newAccountMemory',
      `${what} has ${most} MB of memory, and new AWS accounts are limited to ${DEFAULT_MAX_MEMORY_MB} MB (${quotas.LAMBDA_QUOTAS}): request a higher quota from AWS, or ${advice}`,
    );
  }
  const { length } = subject.plan.slices;
  if (subject.warmsUp && length > quotas.NEW_ACCOUNT_CONCURRENCY) {
    warn(
      scope,
      'newAccountConcurrency',
      `a run calls all ${length} functions at once to warm them up, and new AWS accounts may be limited to ${quotas.NEW_ACCOUNT_CONCURRENCY} concurrent executions (${quotas.LAMBDA_QUOTAS}): request a higher quota from AWS, or set warmUp to NEVER`,
    );
  }
}

function checkCalls(scope: Construct, { plan, memorySizes, whole, functions }: QuotaSubject): void {
  // Functions with more memory than planned are faster.
  const calls = plan.slices.map(({ memoryMb, coldSeconds }, slice) =>
    memorySizes[slice] > memoryMb ? undefined : coldSeconds,
  );
  const planned = Math.round(largestOf(calls.map((call) => call?.planned ?? 0)));
  if (planned > MAX_LAMBDA_TIMEOUT_SECONDS) {
    throw new SlicedInferenceError(
      `cold calls of slices must end within the ${MAX_LAMBDA_TIMEOUT_SECONDS} seconds of a Lambda function (${quotas.LAMBDA_QUOTAS})`,
      `an estimate of ${planned} seconds`,
      SHORTER_CALLS,
    );
  }
  const long =
    longCallNote(calls) ?? (whole && longCallNote([whole.plan.slices[0].coldSeconds], 'the whole model'));
  if (long !== undefined) warn(scope, 'longCall', long);
  calls.forEach((call, slice) => {
    const { timeout } = functions[slice];
    if (call === undefined || timeout === undefined || timeout.isUnresolved()) return;
    const seconds = timeout.toSeconds();
    if (seconds >= Math.min(call.slowest, MAX_LAMBDA_TIMEOUT_SECONDS)) return;
    const what = `the function of ${sliceName(slice)} times out after ${seconds} seconds`;
    warn(scope, 'shortTimeout', `${what}, and a cold call takes ${callText(call)}: raise its timeout`);
  });
}

/** Of a `slicedModel`, only calls are known: they load at the same time if the run warms functions up, and otherwise one after the other. */
function warnOfColdRuns(scope: Construct, subject: QuotaSubject): void {
  const { plan, isExpress, warmsUp, timeout } = subject;
  const calls = loadSeconds(plan).map((load, slice) => plan.slices[slice].coldSeconds?.slowest ?? load);
  const { coldRunSeconds: seconds = warmsUp ? largestOf(calls) : sumOf(calls) } = subject;
  const quota = isExpress ? quotas.MAX_EXPRESS_MINUTES * 60 : Infinity;
  const limit = timeout && !timeout.isUnresolved() ? timeout.toSeconds({ integral: false }) : quota;
  if (seconds <= limit) return;
  const [id, advice] =
    limit < quota
      ? ['littleTime', 'raise its timeout']
      : ['expressQuota', `set stateMachineType to STANDARD (${quotas.STEP_FUNCTIONS_QUOTAS})`];
  warn(
    scope,
    id,
    `a run whose functions are all cold takes up to ${Math.round(seconds)} seconds where functions are slowest, and the state machine times out after ${limit} seconds: ${advice}, or use more memory or more slices`,
  );
}
