/** Says what the best plans reach if no plan keeps the limits of a request. */
import { SlicedInferenceError } from '../../errors';
import type { Found } from './incumbents';
import { bestPlan } from './optimum';
import type { PlanRequest } from './plan-request';
import { stepsOf } from './labels';
import type { StretchTable } from './stretch-table';
import { largestOf, smallestOf } from '../../extremes';

const MILLION = 1e6;

/** The error for a request for which the table has no plan although it has plans without limits on latency and cost. */
export function unreachable(table: StretchTable, request: PlanRequest): SlicedInferenceError {
  const { maxLatencyMs, maxDollars, quantile, maxSlices } = request;
  const unlimited = { ...request, maxLatencyMs: undefined, maxDollars: undefined };
  const fastest = bestPlan(table, { ...unlimited, minimize: 'latency' });
  if (fastest === undefined) {
    return new SlicedInferenceError(
      `a plan must have at most ${maxSlices} slices`,
      'more slices in every plan within the memory',
      'raise the memory that a function may have',
    );
  }
  if (maxLatencyMs !== undefined) {
    const time = fastest.cost.latency[quantile];
    const limit = `a run must have a ${quantile} latency of at most ${ms(maxLatencyMs)}`;
    if (time > maxLatencyMs)
      return new SlicedInferenceError(
        limit,
        `${ms(time)} for the fastest plan, ${described(fastest)}`,
        'allow more time, or more memory for a function',
      );
    const within =
      maxDollars === undefined
        ? undefined
        : bestPlan(table, { ...unlimited, maxDollars, minimize: 'latency' });
    if (within !== undefined && maxDollars !== undefined)
      return new SlicedInferenceError(
        `${limit} and cost at most ${dollars(maxDollars)} in a million runs`,
        `${ms(within.cost.latency[quantile])} for the fastest plan at that cost, ${described(within)}`,
        'allow more time or a higher cost',
      );
  }
  const cheapest = bestPlan(table, { ...unlimited, minimize: 'cost' }) ?? fastest;
  return new SlicedInferenceError(
    `a million runs must cost at most ${dollars(maxDollars ?? 0)}`,
    `${dollars(cheapest.cost.dollars)} for the cheapest plan, ${described(cheapest)}`,
    'allow a higher cost',
  );
}

function described({ label }: Found): string {
  const sizes = stepsOf(label).map(({ step }) => step.memoryMb);
  if (sizes.length === 1) return `one slice of ${sizes[0]} MB`;
  const [least, most] = [smallestOf(sizes), largestOf(sizes)];
  return `${sizes.length} slices of ${least === most ? least : `${least} to ${most}`} MB`;
}

function ms(time: number): string {
  return `${Math.ceil(time)} ms`;
}

function dollars(ofRun: number): string {
  return `$${(Math.ceil(ofRun * MILLION * 100) / 100).toFixed(2)}`;
}
