/** The measurements from which constants are estimated: what telemetry says of real calls, and robust statistics of it. */
import { type LoggedCall, type LoggedReport, groupedBy } from '../bill';
import { median, quantile } from '../../extremes';
import type { Pairs } from '../constants/constant';
import { atPercent } from '../latency/latency-distribution';

export interface CallSample extends LoggedCall {
  readonly run: string;
  readonly slice: number;
  readonly startedAt: number;
}

export interface WarmUpSample extends LoggedCall {
  readonly slice: number;
}

export interface Samples {
  readonly calls: readonly CallSample[];
  readonly warmUps: readonly WarmUpSample[];
  readonly reports: readonly LoggedReport[];
}

export interface SliceFacts {
  readonly memoryMb: number;
  readonly threads: number;
  /** Number of objects that a call reads tensors from. */
  readonly reads: number;
  /** Milliseconds of computing on one thread of the reference processor, without the writing of outputs for other slices. */
  readonly coreMs?: number;
}

export function samplesOf({
  calls,
  reports,
}: Pick<Samples, 'reports'> & { readonly calls: readonly LoggedCall[] }): Samples {
  const ofSlices = calls.filter(isOfSlice);
  return {
    calls: ofSlices.filter(isCallSample),
    warmUps: ofSlices.filter(({ kind }) => kind === 'warm-up'),
    reports: reports.filter(({ failed }) => !failed),
  };
}

function isOfSlice(call: LoggedCall): call is WarmUpSample {
  return call.slice !== 'whole' && call.slice >= 0 && call.report?.failed !== true;
}

function isCallSample(call: WarmUpSample): call is CallSample {
  return call.kind === 'ran' && call.run !== undefined && call.startedAt !== undefined;
}

interface Gap {
  readonly ms: number;
  readonly next: CallSample;
}

/** Runs of so many calls do not exist; a log in which every call names one run would take long. */
const MAX_CALLS = 1000;

/**
 * The times between the calls of a run, from the end of one handler to the start of the next. Calls that overlap ran side by
 * side, so nothing is known about the time between them.
 */
export function gapsOf(calls: readonly CallSample[]): Gap[] {
  return [...groupedBy(calls, ({ run }) => run).values()]
    .filter((own) => own.length <= MAX_CALLS)
    .flatMap((own) => {
      const inOrder = own.sort((a, b) => a.startedAt - b.startedAt);
      return inOrder.slice(1).flatMap((next, index): Gap[] => {
        const previous = inOrder[index];
        const { startedAt, cold, warmedUp, loadMs, readMs, runMs, writeMs } = previous;
        const end = startedAt + (cold && !warmedUp ? loadMs : 0) + readMs + runMs + writeMs;
        const ms = next.startedAt - end;
        return ms >= 0 && next.slice === previous.slice + 1 ? [{ ms, next }] : [];
      });
    });
}

const PERCENTS = [5, 50, 90, 95] as const;

/** Fewer samples say nothing about the slowest twentieth. */
const MIN_FOR_PERCENTILES = 20;

/** A shape whose quartiles are closer has no spread that could be stretched. */
const MIN_SPREAD_MS = 1e-6;

/**
 * Percentiles of measured delays. Few samples give the median and the distance between the quartiles alone: then the other percentiles are
 * those of `shape`, moved to the measured median and stretched or narrowed to the measured quartiles. A shape that is scaled to the median
 * alone would have the spread of the default, however even the measured delays are.
 */
export function distributionOf(samples: readonly number[], shape: Pairs): Pairs {
  if (samples.length >= MIN_FOR_PERCENTILES) {
    return PERCENTS.map((percent) => [percent, quantile(samples, percent / 100)] as const);
  }
  const measured = median(samples);
  const shapeSpread = atPercent(shape, 75) - atPercent(shape, 25);
  if (shapeSpread < MIN_SPREAD_MS) return [[50, measured]];
  const stretch = (quantile(samples, 0.75) - quantile(samples, 0.25)) / shapeSpread;
  const middle = atPercent(shape, 50);
  return shape.map(([percent, ms]) => [percent, Math.max(0, measured + stretch * (ms - middle))] as const);
}
