/** Quantiles of a few measured times. */

/**
 * The value below which a share of the samples lies, between two samples by their distance.
 *
 * @param share from 0 to 1
 * @returns NaN if there is no sample
 */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const lower = sorted.at(below) ?? NaN;
  const upper = sorted.at(Math.min(below + 1, sorted.length - 1)) ?? NaN;
  return lower + (upper - lower) * (position - below);
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}
