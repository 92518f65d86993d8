/** Published percentiles, read between the lines of their table. */
import type { Pairs } from '../constants/constant';

/**
 * Linear between the percentiles. All that lies below the first percentile has its value, and all that lies above the last has
 * that value, as in `LatencyDistribution.fromPercentiles`.
 *
 * @param percentiles pairs of a percentage and milliseconds; one or more, with rising percentages
 * @param percent from 0 to 100
 */
export function atPercent(percentiles: Pairs, percent: number): number {
  const above = percentiles.findIndex(([own]) => own >= percent);
  if (above < 0) return percentiles[percentiles.length - 1][1];
  if (above === 0) return percentiles[0][1];
  const [[low, lower], [high, upper]] = [percentiles[above - 1], percentiles[above]];
  return lower + ((upper - lower) * (percent - low)) / (high - low);
}
