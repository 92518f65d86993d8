/** Cuts that spread an amount over a fixed number of slices, without a search. */
import type { Range } from '../cuts/range-sizes';

/**
 * The legal cuts nearest to those at which each slice has an equal share of the amount.
 *
 * @param legal ascending, at least `slices - 1`
 * @param amounts by position in the range
 */
export function spreadCuts(
  legal: readonly number[],
  { start }: Pick<Range, 'start'>,
  amounts: readonly number[],
  slices: number,
): readonly number[] {
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  const targets: number[] = [];
  let before = 0;
  amounts.forEach((amount, position) => {
    before += amount;
    while (targets.length < slices - 1 && before * slices >= (targets.length + 1) * total)
      targets.push(start + position + 1);
  });
  return nearestCuts(legal, targets);
}

/** For each target the nearest legal cut that leaves enough cuts for the other targets. Both lists are ascending. */
function nearestCuts(legal: readonly number[], targets: readonly number[]): readonly number[] {
  const cuts: number[] = [];
  let next = 0;
  targets.forEach((target, index) => {
    const last = legal.length - (targets.length - index);
    let best = next;
    for (let at = next; at <= last; at++)
      if (Math.abs(legal[at] - target) < Math.abs(legal[best] - target)) best = at;
    cuts.push(legal[best]);
    next = best + 1;
  });
  return cuts;
}
