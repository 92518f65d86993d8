/** The phases of calls, as planned and as measured, in milliseconds. */
import type { Environment } from '../../lib/cost/constants/defaults';
import { singleThreadMs, vcpuShare } from '../../lib/cost/formulas/lambda';
import { callTiming, hostOf, loadTiming } from '../../lib/cost/formulas/slice-timing';
import { transitionPercentiles } from '../../lib/cost/formulas/step-functions';
import { atPercent } from '../../lib/cost/latency/latency-distribution';
import type { PlannedPipeline } from './planned-calls';
import { type LoggedCall, startOf } from './read-logs';

/**
 * Warm calls have transitions from the call before; cold ones a placement, from there until the runtime starts, and a load. Loads, reads
 * and writes have their waits for S3. A later read is over an open connection.
 */
export const PHASES = ['transition', 'placement', 'init', 'load', 'read', 'run', 'write'] as const;
export type Phases = Readonly<Record<(typeof PHASES)[number] | 'laterRead', number>>;

/** By slice: the medians. */
export function plannedPhases(pipeline: PlannedPipeline, environment: Environment): Phases[] {
  const { options, threads, memoryMb, demands } = pipeline;
  const { s3, handler, lambda } = environment;
  const host = { ...hostOf(options), environment };
  const transition = atPercent(transitionPercentiles(options.stateMachineType, environment), 50);
  return pipeline.steps.map(({ readsFrom, writesTo, inState }, slice) => {
    const demand = demands[slice];
    const reads = !inState?.readsAll && (readsFrom !== 'request' || options.request === 's3');
    const readBytes = reads ? demand.readBytes - (inState?.readBytes ?? 0) : 0;
    const call = callTiming(demand, memoryMb[slice], threads, 0, readBytes, host);
    const load = loadTiming(demand, memoryMb[slice], host);
    const requestMs = singleThreadMs(handler.requestCpuMs, vcpuShare(memoryMb[slice], environment));
    const from = readsFrom === 's3-express' ? 'express' : 'standard';
    const to = writesTo === 's3-express' ? 'express' : 'standard';
    // The connection for the write opens while the function reads from S3.
    const putMs = reads ? atPercent(s3[`${to}Put`], 50) : s3[`${to}FirstPutMs`];
    return {
      ...{ transition, placement: transition + lambda.placementMs, init: load.initMs, run: call.computeMs },
      load: s3.standardFirstGetMs + load.downloadMs + load.sessionMs,
      read: reads ? s3[`${from}FirstGetMs`] + call.readMs + requestMs : 0,
      laterRead: reads ? atPercent(s3[`${from}Get`], 50) + call.readMs + requestMs : 0,
      write: inState?.isAnswered ? 0 : putMs + call.writeMs + requestMs,
    };
  });
}

export interface MeasuredCall extends LoggedCall {
  /** Without what the call did not have, or what its line does not tell. */
  readonly phases: Partial<Phases>;
}

/** The longest of the published delays is 0.5 s. */
const LONGEST_GAP_MS = 5_000;

export function measuredCalls(pipeline: PlannedPipeline, calls: readonly LoggedCall[]): MeasuredCall[] {
  const { options, memoryMb, isChain } = pipeline;
  const { handler, s3 } = options.environment;
  // Nothing tells how long a connection takes to open, so it stays as it was.
  const connectMs = s3.standardFirstGetMs - atPercent(s3.standardGet, 50);
  const known = new Map(calls.map((call) => [`${call.slice} ${call.run}`, call]));
  return calls.map((call) => {
    const { slice, run, cold, warmedUp, initMs, loadMs: load, readMs: read, runMs, writeMs: write } = call;
    const before = isChain ? known.get(`${slice - 1} ${run}`) : undefined;
    // With warm-ups, a Parallel state comes before the first slice.
    const since = before ? endOf(before) : slice === 0 && !options.warmUp ? startOf(call) : undefined;
    const share = vcpuShare(memoryMb[slice], options.environment);
    const gap = call.startedAt - (since ?? NaN) - singleThreadMs(handler.callCpuMs, share);
    // Negative after a retry, long if no function was free.
    const isNext = gap >= 0 && gap < LONGEST_GAP_MS && !warmedUp;
    const phases = {
      ...(isNext && before && !cold && { transition: gap }),
      ...(isNext && initMs !== undefined && { placement: gap - initMs }),
      ...(initMs !== undefined && { init: initMs }),
      ...(cold ? { load } : { read, laterRead: read - connectMs, run: runMs, write }),
    };
    return { ...call, phases };
  });
}

function endOf({ startedAt, cold, warmedUp, loadMs, readMs, runMs, writeMs }: LoggedCall): number {
  return startedAt + (cold && !warmedUp ? loadMs : 0) + readMs + runMs + writeMs;
}
