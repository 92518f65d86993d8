/** What users should know of a plan: sentences without a full stop. */
import { sliceName } from '../../contract/keys';
import { MAX_EXPRESS_SECONDS } from '../cost/batch-limits';
import type { StateMachineType } from '../cost/formulas/step-functions';
import type { CallSeconds } from './file/plan';
import { MAX_LAMBDA_TIMEOUT_SECONDS } from './sizes/lambda-quotas';
import type { DataSource } from '../shapes/data-source';
import { inBytes } from '../cost/alternatives/wording';
import { sumOf } from '../extremes';
import { type SliceSize, isNearEmpty } from './sizes/estimate';

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

const DEPENDENT = 'sizes of tensors or iterations of loops may depend on data';

/** The advice for an app, where a model does not run on inputs of the user. */
export const SLICE_WITH_INPUTS =
  'slice the model with `sliced-inference slice --inputs` and pass the slices as slicedModel';

/**
 * Of sizes and iterations that depend on data.
 *
 * @param advice how to plan with other inputs
 */
export function dataSizesNote(
  { inputs, isGenerated, failure }: DataSource,
  advice = 'pass inputs of your own with --inputs',
): string {
  if (failure !== undefined)
    return `this plan is a guess: ${advice}, because ${DEPENDENT} and the model did not run on ${inputs}: ${failure}`;
  const remedy = isGenerated ? `; if those of your requests differ, ${advice}` : '';
  return `${DEPENDENT}, and the plan uses those of a run on ${inputs}${remedy}`;
}

export const NOT_PACKED =
  'functions do not prepack weights, because nearly every run is cold at this rate of requests or --prepacking says so';

/** Of slices that cost calls and transfers, and have hardly any weights and hardly any work. */
export function uselessSlicesNote(sizes: readonly SliceSize[]): string | undefined {
  const seconds = sumOf(sizes.map(({ coreSeconds }) => coreSeconds));
  const weights = sumOf(sizes.map(({ weightBytes }) => weightBytes));
  const isUseless = ({ coreSeconds, weightBytes }: SliceSize): boolean =>
    isNearEmpty(coreSeconds, seconds, sizes.length) &&
    (weightBytes === 0 || isNearEmpty(weightBytes, weights, sizes.length));
  const named = sizes.flatMap((size, slice) => (isUseless(size) ? [slice] : []));
  if (named.length === 0) return undefined;
  const which = named.length === 1 ? `slice ${named[0]} has` : `slices ${named.join(', ')} each have`;
  const moved = inBytes(sumOf(named.map((slice) => sizes[slice].readBytes + sizes[slice].writeBytes)));
  const left = sizes.length - named.length;
  return `${which} at most 1 % of the weights and of the work, and each run still pays for the call and for ${moved} of tensors: use ${left} ${left === 1 ? 'slice' : 'slices'}`;
}
