/** The sum, the largest and the smallest of a list of any length. `Math.max(...list)` overflows the stack at some 120,000 numbers. */

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
