/** Robust statistics: a single slow call must not move a constant. */
import type { Pairs } from '../constants/constant';

/** Percentages of a measured distribution. */
const PERCENTS = [5, 50, 90, 95] as const;

/** Fewer samples say nothing about the slowest twentieth. */
const MIN_FOR_PERCENTILES = 20;

/** Linear between the two nearest samples. `samples` must not be empty. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.ceil(place);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

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
 * Percentiles of measured delays. Few samples give the median alone: then the other percentiles are those of `shape`, scaled to
 * the measured median.
 */
export function distributionOf(samples: readonly number[], shape: Pairs): Pairs {
  if (samples.length >= MIN_FOR_PERCENTILES) {
    return PERCENTS.map((percent) => [percent, quantile(samples, percent / 100)] as const);
  }
  const middle = shape.find(([percent]) => percent === 50)?.[1] ?? 0;
  const measured = median(samples);
  if (middle === 0) return [[50, measured]];
  return shape.map(([percent, ms]) => [percent, (ms / middle) * measured] as const);
}
