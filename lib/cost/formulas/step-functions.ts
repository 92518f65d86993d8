/** Step Functions: transitions and prices of Standard and Express state machines. */
import type { Pairs } from '../constants/constant';
import type { Environment, Prices } from '../constants/defaults';
import { LatencyDistribution, atPercent } from '../latency/latency-distribution';

export type StateMachineType = 'express' | 'standard';

/** Express executions are billed in units of 100 ms; on average, half of one is not used. */
const UNUSED_MS = 50;

export interface StateCounts {
  readonly slices: number;
  readonly warmUps: number;
  readonly parallels: number;
}

/** From the end of one handler to the start of the next. */
export function transitionOf(type: StateMachineType, environment: Environment): LatencyDistribution {
  return LatencyDistribution.fromPercentiles(transitionPercentiles(type, environment));
}

export function transitionPercentiles(type: StateMachineType, environment: Environment): Pairs {
  const { express, eventBytes } = environment.stepFunctions;
  return type === 'express' ? express : standardPercentiles(eventBytes, environment);
}

/** Milliseconds that a transition takes longer because its payload has so many bytes more than an event without tensors. */
export function payloadMs(bytes: number, type: StateMachineType, environment: Environment): number {
  // No measurement of Express was found.
  if (type === 'express') return 0;
  const { eventBytes } = environment.stepFunctions;
  const median = (payload: number) => atPercent(standardPercentiles(payload, environment), 50);
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

export interface PayloadDelay {
  readonly bytes: number;
  readonly percentiles: Pairs;
}

/** What was measured of Standard state machines, by the bytes of the payload. */
export function standardDelays({ stepFunctions }: Environment): readonly PayloadDelay[] {
  return [
    { bytes: 32, percentiles: stepFunctions.standard32B },
    { bytes: 1024, percentiles: stepFunctions.standard1KiB },
    { bytes: 16 * 1024, percentiles: stepFunctions.standard16KiB },
    { bytes: 64 * 1024, percentiles: stepFunctions.standard64KiB },
    { bytes: 256 * 1024, percentiles: stepFunctions.standard256KiB },
  ];
}

/** Linear in the bytes between the payloads that were measured. @param measured with ascending bytes; one or more */
export function percentilesOfPayload(measured: readonly PayloadDelay[], bytes: number): Pairs {
  const above = measured.findIndex((delay) => delay.bytes >= bytes);
  if (above === 0) return measured[0].percentiles;
  if (above < 0) return measured[measured.length - 1].percentiles;
  const [low, high] = [measured[above - 1], measured[above]];
  return between(low.percentiles, high.percentiles, (bytes - low.bytes) / (high.bytes - low.bytes));
}

function standardPercentiles(bytes: number, environment: Environment): Pairs {
  return percentilesOfPayload(standardDelays(environment), bytes);
}

function between(lower: Pairs, upper: Pairs, share: number): Pairs {
  if (share === 1) return upper;
  return upper.map(
    ([percent, ms]) => [percent, ms * share + atPercent(lower, percent) * (1 - share)] as const,
  );
}
