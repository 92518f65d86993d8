/** What users should know of calls and runs that may take longer than AWS allows: sentences without a full stop. */
import { sliceName } from '../../contract/keys';
import { MAX_EXPRESS_SECONDS } from '../cost/batch-limits';
import type { StateMachineType } from '../cost/formulas/step-functions';
import type { CallSeconds } from './file/plan';
import { MAX_LAMBDA_TIMEOUT_SECONDS } from './sizes/lambda-quotas';

export const SHORTER_CALLS =
  'use more slices, more memory or smaller requests, or run the model on AWS Fargate';

/**
 * @param calls by slice, of those that are known
 * @param name @default - that of the slice
 */
export function longCallNote(calls: readonly (CallSeconds | undefined)[], name?: string): string | undefined {
  const slice = calls.findIndex((call) => call !== undefined && call.slowest > MAX_LAMBDA_TIMEOUT_SECONDS);
  const call = calls.at(slice);
  if (slice < 0 || call === undefined) return undefined;
  return `a cold call of ${name ?? sliceName(slice)} takes ${callText(call)}, and Lambda ends it after ${MAX_LAMBDA_TIMEOUT_SECONDS} seconds: ${SHORTER_CALLS}`;
}

export function callText({ planned, slowest }: CallSeconds): string {
  return `about ${Math.round(planned)} seconds, and ${Math.round(slowest)} seconds where functions are slowest`;
}

/** @param seconds of a cold run where runs are slowest */
export function longRunNote(seconds: number, type: StateMachineType = 'express'): string | undefined {
  if (type === 'standard' || seconds <= MAX_EXPRESS_SECONDS) return undefined;
  return `a run whose functions are all cold takes up to ${Math.round(seconds)} seconds where functions are slowest, and an Express execution ends after ${MAX_EXPRESS_SECONDS} seconds: use a Standard state machine, more memory or more slices`;
}
