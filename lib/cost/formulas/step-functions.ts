/** Step Functions: transitions and prices of Standard and Express state machines. */
import type { Pairs } from '../constants/constant';
import type { Environment } from '../constants/environment';
import type { Prices } from '../constants/prices';
import { LatencyDistribution } from '../latency/latency-distribution';

export type StateMachineType = 'express' | 'standard';

/** Express executions are billed in units of 100 ms; on average, half of one is not used. */
const UNUSED_MS = 50;

/** The states that an execution enters. */
export interface StateCounts {
  readonly slices: number;
  readonly warmUps: number;
  readonly parallels: number;
}

/** From the end of one handler to the start of the next. */
export function transitionOf(type: StateMachineType, environment: Environment): LatencyDistribution {
  const { stepFunctions } = environment;
  return LatencyDistribution.fromPercentiles(
    type === 'express' ? stepFunctions.express : standardPercentiles(stepFunctions.eventBytes, environment),
  );
}

/** Milliseconds that a transition takes longer because its payload has so many bytes more than an event without tensors. */
export function payloadMs(bytes: number, type: StateMachineType, environment: Environment): number {
  // No measurement of Express was found.
  if (type === 'express') return 0;
  const { eventBytes } = environment.stepFunctions;
  const median = (payload: number) => at(standardPercentiles(payload, environment), 50);
  return Math.max(0, median(eventBytes + bytes) - median(eventBytes));
}

/** @param meanMs mean time from the start to the end of the execution */
export function executionDollars(
  type: StateMachineType,
  { slices, warmUps, parallels }: StateCounts,
  meanMs: number,
  prices: Prices,
  environment: Environment,
): number {
  const price = prices.stepFunctions;
  if (type === 'standard') {
    const transitions = slices + warmUps + parallels + environment.stepFunctions.startAndEnd;
    return (transitions * price.standardTransitions) / 1e6;
  }
  const perMs = executionDollarsPerMs(type, prices, environment);
  return price.expressExecutions / 1e6 + (meanMs + UNUSED_MS) * perMs;
}

/** What a millisecond of an execution costs. */
export function executionDollarsPerMs(
  type: StateMachineType,
  prices: Prices,
  { stepFunctions }: Environment,
): number {
  if (type === 'standard') return 0;
  return ((stepFunctions.expressMemoryMb / 1024) * prices.stepFunctions.expressGbSecond) / 1000;
}

/** Linear in the bytes between the payloads that were measured. */
function standardPercentiles(bytes: number, { stepFunctions }: Environment): Pairs {
  const measured = [
    [32, stepFunctions.standard32B],
    [1024, stepFunctions.standard1KiB],
    [16 * 1024, stepFunctions.standard16KiB],
    [64 * 1024, stepFunctions.standard64KiB],
    [256 * 1024, stepFunctions.standard256KiB],
  ] as const;
  const above = measured.findIndex(([size]) => size >= bytes);
  if (above === 0) return measured[0][1];
  if (above < 0) return measured[measured.length - 1][1];
  const [[low, lower], [high, upper]] = [measured[above - 1], measured[above]];
  return between(lower, upper, (bytes - low) / (high - low));
}

/** At the percentages of `upper`: what lies between two distributions. */
function between(lower: Pairs, upper: Pairs, share: number): Pairs {
  if (share === 1) return upper;
  return upper.map(([percent, ms]) => [percent, ms * share + at(lower, percent) * (1 - share)] as const);
}

function at(percentiles: Pairs, percent: number): number {
  const above = percentiles.findIndex(([own]) => own >= percent);
  if (above < 0) return percentiles[percentiles.length - 1][1];
  if (above === 0) return percentiles[0][1];
  const [[low, lower], [high, upper]] = [percentiles[above - 1], percentiles[above]];
  return lower + ((upper - lower) * (percent - low)) / (high - low);
}
