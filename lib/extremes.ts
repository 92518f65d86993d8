/** The sum, the extremes and quantiles of lists of any length. `Math.max(...list)` overflows the stack at some 120,000 numbers. */

/** @returns `-Infinity` for an empty list, as `Math.max` does */
export function largestOf(numbers: Iterable<number>): number {
  let largest = -Infinity;
  for (const number of numbers) largest = Math.max(largest, number);
  return largest;
}

/** @returns `Infinity` for an empty list, as `Math.min` does */
export function smallestOf(numbers: Iterable<number>): number {
  let smallest = Infinity;
  for (const number of numbers) smallest = Math.min(smallest, number);
  return smallest;
}

export function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

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
