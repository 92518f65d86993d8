/** Fills slice after slice, which shows whether a limit on sizes can be kept, and with how few slices. */
import { WeightTable } from '../../dataflow/weights';
import type { CutSpace } from '../cuts/cuts';
import type { Range } from './stretches';
import { sizeStretches } from './stretches';
import type { SizeLimit, TooLarge } from './stretch-table';

export interface FilledSlices {
  /** None if everything fits into one slice, or if not everything fits. */
  readonly cuts: readonly number[];
  /** Nodes between neighboring legal cuts that exceed the limit. */
  readonly tooLarge?: TooLarge;
}

/**
 * Fills each slice with as many nodes as fit.
 *
 * @param legal the legal cuts in the range, ascending
 */
export function filledSlices(
  space: CutSpace,
  legal: readonly number[],
  { start, end }: Range,
  limit: SizeLimit,
): FilledSlices {
  const boundaries = [start, ...legal, end];
  const weights = new WeightTable(space.dataflow, space.bytes);
  const cuts: number[] = [];
  for (let from = 0; from < boundaries.length - 1;) {
    let furthest = from;
    let first: TooLarge | undefined;
    sizeStretches(space, weights, boundaries, from, (to, size) => {
      const fits = limit.fits(size);
      if (fits) furthest = to;
      first ??= { from: boundaries[from], to: boundaries[to], size };
      return fits || !limit.isHopeless(size);
    });
    if (furthest === from) return { cuts: [], ...(first && { tooLarge: first }) };
    if (furthest < boundaries.length - 1) cuts.push(boundaries[furthest]);
    from = furthest;
  }
  return { cuts };
}
