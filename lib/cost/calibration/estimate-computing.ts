/** How fast functions compute, and what the first run of a session takes longer. */
import { median } from '../../compute-time/profile/quantiles';
import { OUTPUT_BANDWIDTH } from '../../compute-time/reference-processor';
import { computeMs, vcpuShare, visibleVcpus } from '../formulas/lambda';
import { type Estimator, MIN_LOAD_MB } from './estimator';
import type { CallSample } from './samples';

/** Compares warm runs with the work that a profile has for the same slices. */
export function estimateComputing(estimator: Estimator): void {
  const { samples, options } = estimator;
  const { slices = [] } = options;
  if (slices.some(({ coreMs }) => coreMs !== undefined)) {
    const speeds = samples.calls.flatMap((call) => speedOf(call, estimator) ?? []);
    estimator.estimate('processor', 'lambdaSpeed', speeds, 'warm calls', median);
  } else estimator.cannotEstimate('processor', 'lambdaSpeed', 'needs --plan and --profile');

  const warmRuns = mediansBySlice(samples.calls.filter(({ cold }) => !cold));
  const firstRuns = samples.calls.flatMap((call) => {
    const usual = warmRuns.get(call.slice);
    if (!call.cold || call.weightBytes < MIN_LOAD_MB * 1e6 || usual === undefined) return [];
    return [(Math.max(0, call.runMs - usual) * estimator.shareOf(call)) / (call.weightBytes / 1e6)];
  });
  estimator.estimate('handler', 'firstRun', firstRuns, 'cold calls of slices of 4 MB and more', median);
}

/** Relative to the reference processor, in whose time plans count work. */
function speedOf(call: CallSample, { options, environment, lastSlice }: Estimator): number | undefined {
  const facts = options.slices?.at(call.slice);
  if (call.cold || facts?.coreMs === undefined || call.runMs === 0) return undefined;
  const { coreMs, memoryMb, threads } = facts;
  // The results of the model are in the times of nodes; what other slices write is not.
  const outputSeconds = call.slice === lastSlice ? 0 : call.bytesWritten / OUTPUT_BANDWIDTH;
  const usable = Math.min(threads, visibleVcpus(memoryMb, environment));
  const share = vcpuShare(memoryMb, environment);
  return computeMs(coreMs / 1000 + outputSeconds, usable, share, environment) / call.runMs;
}

/** By slice: the median of its runs, in milliseconds. */
function mediansBySlice(calls: readonly CallSample[]): ReadonlyMap<number, number> {
  const runs = new Map<number, number[]>();
  for (const { slice, runMs } of calls) {
    const own = runs.get(slice);
    if (own === undefined) runs.set(slice, [runMs]);
    else own.push(runMs);
  }
  return new Map([...runs].map(([slice, own]) => [slice, median(own)]));
}
