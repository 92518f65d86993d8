/** Checks a pipeline against AWS quotas. CDK itself refuses too many resources, and warns of a large template. */
import { type Duration, Stack, Token } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { SlicedInferenceError } from '../errors';
import { largestOf } from '../extremes';
import type { SlicePlan } from '../plan/file/plan';
import { loadSeconds } from '../plan/schedule/schedule';
import { DEFAULT_MAX_MEMORY_MB } from '../plan/sizes/lambda-quotas';
import { warn } from './annotate';
import { deployedLength } from './deployed-length';
import {
  LAMBDA_QUOTAS,
  MAX_EXPRESS_MINUTES,
  MAX_LAMBDA_ENVIRONMENT_BYTES,
  MAX_PUT_BYTES,
  NEW_ACCOUNT_CONCURRENCY,
  S3_QUOTAS,
  STEP_FUNCTIONS_QUOTAS,
  WARNING_SHARE,
} from './quotas';
import type { SliceFunctionOptions } from './slice-function-options';

interface QuotaSubject {
  readonly plan: SlicePlan;
  readonly isExpress: boolean;
  readonly warmsUp: boolean;
  readonly memorySizes: readonly number[];
  readonly whole?: { readonly options: SliceFunctionOptions };
  readonly timeout?: Duration;
  readonly functions: readonly lambda.Function[];
}

export function checkQuotas(scope: Construct, subject: QuotaSubject): void {
  checkObjects(subject);
  checkEnvironments(subject);
  warnOfNewAccounts(scope, subject);
  warnOfColdRuns(scope, subject);
}

function checkObjects({ plan }: QuotaSubject): void {
  const bytes = largestOf(plan.slices.map(({ writeBytes }) => writeBytes));
  if (bytes <= MAX_PUT_BYTES) return;
  throw new SlicedInferenceError(
    `the slice that writes the most must have at most ${MAX_PUT_BYTES} bytes in one object (${S3_QUOTAS})`,
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
    if (least <= MAX_LAMBDA_ENVIRONMENT_BYTES) continue;
    throw new SlicedInferenceError(
      `the environment of a slice function must have at most ${MAX_LAMBDA_ENVIRONMENT_BYTES} bytes (${LAMBDA_QUOTAS})`,
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
