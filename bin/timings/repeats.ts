/** The figures of repeated runs: how long cold and warm ones take. */
import type { CallTiming } from '../../contract/execution';
import { largestOf, median } from '../../lib/extremes';
import { quantityText } from '../plan/figures';

/** Of fewer runs, none is above the 95th percentile. */
const PERCENTILE_RUNS = 20;

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

/** A line about the cold runs, and one about the warm ones of the slices and of the whole model. */
export function repeatLines(runs: readonly TimedRun[]): string[] {
  const cold = runs.filter(isCold).map(({ ms }) => ms);
  const { warm, warmWhole } = repeatFigures(runs);
  const first = runs.findIndex(isCold) + 1;
  const others =
    cold.length > 1 ? ` (and ${cold.length - 1} more, the slowest ${timeText(largestOf(cold))})` : '';
  return [
    cold.length === 0
      ? 'cold: none, all functions were loaded before'
      : `cold: ${timeText(cold[0])} in run ${first}${others}`,
    warmLine(warmWhole ? 'warm, slices' : 'warm', warm),
    ...(warmWhole ? [warmLine('warm, whole model', warmWhole)] : []),
  ];
}

function warmLine(name: string, { runs, p50Ms, p95Ms }: ReturnType<typeof warmFigures>): string {
  if (runs === 0) return `${name}: none, each run of the slices had to load one`;
  const note = runs < PERCENTILE_RUNS ? ` (with fewer than ${PERCENTILE_RUNS}, p95 is the slowest)` : '';
  return `${name}: p50 ${timeText(p50Ms)}, p95 ${timeText(p95Ms)} of ${runs} warm ${runs === 1 ? 'run' : 'runs'}${note}`;
}

/** As JSON; the percentiles of no run are null there. Runs that the whole model served have figures of their own. */
export function repeatFigures(runs: readonly TimedRun[]) {
  const [warm, warmWhole] = [false, true].map((isWhole) =>
    warmFigures(runs.filter(({ timings }) => timings.some(({ whole }) => whole) === isWhole)),
  );
  const times = runs.map((run) => ({ ms: run.ms, cold: isCold(run) }));
  return { runs: times, warm, warmWhole: warmWhole.runs > 0 ? warmWhole : undefined };
}

function warmFigures(runs: readonly TimedRun[]) {
  const times = runs.filter((run) => !isCold(run)).map(({ ms }) => ms);
  const sorted = times.sort((a, b) => a - b);
  const p95Ms = sorted.at(Math.ceil(0.95 * sorted.length) - 1) ?? NaN;
  return { runs: sorted.length, p50Ms: median(sorted), p95Ms };
}
