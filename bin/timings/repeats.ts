/** The figures of repeated runs: how long cold and warm ones take. */
import type { CallTiming } from '../../contract/execution';
import { largestOf, median } from '../../lib/extremes';
import { quantityText } from '../plan/figures';

export interface TimedRun {
  /** What the caller waited, in milliseconds. */
  readonly ms: number;
  readonly timings: readonly CallTiming[];
}

/** Whether a function loaded its slice for this run. */
export function isCold({ timings }: TimedRun): boolean {
  return timings.some(({ cold }) => cold);
}

export function timeText(ms: number): string {
  return quantityText('milliseconds', Math.round(ms));
}

/** A line about the cold runs and one about the warm ones. */
export function repeatLines(runs: readonly TimedRun[]): string[] {
  const cold = runs.filter(isCold).map(({ ms }) => ms);
  const warm = warmFigures(runs);
  const first = runs.findIndex(isCold) + 1;
  const others =
    cold.length > 1 ? ` (and ${cold.length - 1} more, the slowest ${timeText(largestOf(cold))})` : '';
  return [
    cold.length === 0
      ? 'cold: none, all functions were loaded before'
      : `cold: ${timeText(cold[0])} in run ${first}${others}`,
    warm.runs === 0
      ? 'warm: none, each run had to load a slice'
      : `warm: p50 ${timeText(warm.p50Ms)}, p95 ${timeText(warm.p95Ms)} of ${warm.runs} warm ${warm.runs === 1 ? 'run' : 'runs'}`,
  ];
}

/** As JSON; the percentiles of no run are null there. */
export function repeatFigures(runs: readonly TimedRun[]) {
  return { runs: runs.map((run) => ({ ms: run.ms, cold: isCold(run) })), warm: warmFigures(runs) };
}

function warmFigures(runs: readonly TimedRun[]) {
  const times = runs.filter((run) => !isCold(run)).map(({ ms }) => ms);
  const sorted = times.sort((a, b) => a - b);
  const p95Ms = sorted.at(Math.ceil(0.95 * sorted.length) - 1) ?? NaN;
  return { runs: sorted.length, p50Ms: median(sorted), p95Ms };
}
