/** Random delays: percentiles that are known, and straight lines between them. It imports nothing of the product. */

/** Pairs of a percentage and of milliseconds, ascending. */
export type Percentiles = readonly (readonly [percent: number, ms: number])[];

/** The area below the line, from 0 to 100 percent: flat before the first percentile and after the last one. */
export function meanOf(delay: Percentiles): number {
  const corners = [[0, delay[0][1]], ...delay, [100, delay[delay.length - 1][1]]];
  let area = 0;
  for (let corner = 1; corner < corners.length; corner++) {
    const [[from, low], [to, high]] = [corners[corner - 1], corners[corner]];
    area += ((to - from) * (low + high)) / 2;
  }
  return area / 100;
}

export function at(delay: Percentiles, percent: number): number {
  if (percent <= delay[0][0]) return delay[0][1];
  for (let corner = 1; corner < delay.length; corner++) {
    const [[from, low], [to, high]] = [delay[corner - 1], delay[corner]];
    if (percent <= to) return low + ((high - low) * (percent - from)) / (to - from);
  }
  return delay[delay.length - 1][1];
}

/** Draws delays, the same ones for the same seed (mulberry32). */
export function dice(seed: number): (delay: Percentiles) => number {
  let state = seed;
  return (delay) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return at(delay, (100 * ((mixed ^ (mixed >>> 14)) >>> 0)) / 2 ** 32);
  };
}
