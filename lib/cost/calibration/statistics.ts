/** Robust statistics: a single slow call must not move a constant. */
import { median, quantile } from '../../compute-time/profile/quantiles';
import type { Pairs } from '../constants/constant';
import { atPercent } from '../latency/percentiles';

/** Percentages of a measured distribution. */
const PERCENTS = [5, 50, 90, 95] as const;

/** Fewer samples say nothing about the slowest twentieth. */
const MIN_FOR_PERCENTILES = 20;

/** A shape whose quartiles are closer has no spread that could be stretched. */
const MIN_SPREAD_MS = 1e-6;

export interface Line {
  readonly slope: number;
  readonly intercept: number;
}

/** Pairs of points whose slopes are compared, so that hostile input cannot make this slow. */
const MAX_POINTS = 400;

/**
 * The line of Theil and Sen: the median of the slopes of all pairs of points, and the median of what remains. Up to 29 % of the
 * points may be wrong. `undefined` if all points have one x.
 */
export function robustLine(points: readonly (readonly [x: number, y: number])[]): Line | undefined {
  const step = Math.ceil(points.length / MAX_POINTS);
  const some = points.filter((_, index) => index % step === 0);
  const slopes = some.flatMap(([x, y], index) =>
    some.slice(index + 1).flatMap(([x2, y2]) => (x2 === x ? [] : [(y2 - y) / (x2 - x)])),
  );
  if (slopes.length === 0) return undefined;
  const slope = median(slopes);
  return { slope, intercept: median(points.map(([x, y]) => y - slope * x)) };
}

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
