/** The figures of repeated runs: how long cold and warm ones take, in all and by slice. */
import type { CallTiming } from '../../contract/execution';
import { largestOf, median, smallestOf } from '../../lib/extremes';
import { quantityText } from '../plan/figures';

export interface TimedRun {
  /** What the caller waited, in milliseconds. */
  readonly ms: number;
  readonly timings: readonly CallTiming[];
}

/** With fewer runs, the 95th percentile is the slowest one. */
const RUNS_FOR_P95 = 20;

/** Whether a function loaded its slice for this run. */
export function isCold({ timings }: TimedRun): boolean {
  return timings.some(({ cold }) => cold);
}

export function timeText(ms: number): string {
  return quantityText('milliseconds', Math.round(ms));
}

/** `9 warm runs`. */
export function warmRunsText(count: number): string {
  return `${count} warm ${count === 1 ? 'run' : 'runs'}`;
}

/** A line about the cold runs and one about the warm ones. */
export function repeatLines(runs: readonly TimedRun[]): string[] {
  const cold = runs.filter(isCold);
  const warm = warmFigures(runs);
  const others =
    cold.length > 1 ? ` (and ${cold.length - 1} more, the slowest ${timeText(slowest(cold))})` : '';
  const few = warm.runs < RUNS_FOR_P95 ? ', so p95 is the slowest' : '';
  return [
    cold.length === 0
      ? 'cold: none, all functions were loaded before'
      : `cold: ${timeText(cold[0].ms)} in run ${runs.indexOf(cold[0]) + 1}${others}`,
    warm.runs === 0
      ? 'warm: none, each run had to load a slice'
      : `warm: p50 ${timeText(warm.p50Ms)}, p95 ${timeText(warm.p95Ms)} of ${warmRunsText(warm.runs)}${few}`,
  ];
}

/** As JSON; the percentiles of no run are null there. */
export function repeatFigures(runs: readonly TimedRun[]) {
  return {
    runs: runs.map((run) => ({ ms: run.ms, cold: isCold(run) })),
    warm: warmFigures(runs),
    warmP50BySlice: medianTimings(runs.filter((run) => !isCold(run))),
  };
}

/** By slice, the median of each measurement, to a tenth. `startedAt` is the time since the start of the run's first function. */
export function medianTimings(runs: readonly TimedRun[]): readonly CallTiming[] {
  const calls = new Map<string, CallTiming[]>();
  for (const { timings } of runs) {
    const start = smallestOf(timings.map(({ startedAt }) => startedAt));
    for (const timing of timings) {
      const name = String(timing.slice ?? 'whole');
      const ofSlice = calls.get(name) ?? [];
      ofSlice.push({ ...timing, startedAt: timing.startedAt - start });
      calls.set(name, ofSlice);
    }
  }
  return [...calls.values()].map((all) => {
    const of = (field: 'startedAt' | 'readMs' | 'runMs' | 'writeMs' | 'peakMemoryBytes') =>
      Math.round(10 * median(all.map((timing) => timing[field]))) / 10;
    return {
      ...{ ...all[0], startedAt: of('startedAt'), peakMemoryBytes: of('peakMemoryBytes') },
      ...{ readMs: of('readMs'), runMs: of('runMs'), writeMs: of('writeMs') },
    };
  });
}

function warmFigures(runs: readonly TimedRun[]) {
  const times = runs.filter((run) => !isCold(run)).map(({ ms }) => ms);
  const sorted = times.sort((a, b) => a - b);
  const p95Ms = sorted.at(Math.ceil(0.95 * sorted.length) - 1) ?? NaN;
  return { runs: sorted.length, p50Ms: median(sorted), p95Ms };
}

function slowest(runs: readonly TimedRun[]): number {
  return largestOf(runs.map(({ ms }) => ms));
}
