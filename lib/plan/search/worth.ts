/** Tells slices that are worth a function from those that only add calls and transfers. */
import type { RunCost } from '../../cost/cost-model';
import type { SliceSize } from '../sizes/estimate';
import type { Caps } from './plan-request';
import { COUNTED_TOLERANCE, movedAtLeast } from './settle';
import type { StretchTable } from './stretch-table';

/**
 * A slice is worth a function if it has at least this share of the work or of the weights that each of equal slices would have.
 * Numbers of nodes do not count: a few nodes may have most of the weights, and many nodes may only compute shapes.
 */
const MIN_SHARE = 0.1;

/**
 * How many times the bytes of the cheapest plan a plan may move whose slices are all worth a function. Attention needs up to 5
 * times; recurrent networks would need 8 times and more, which is too much for their evenness.
 */
const MAX_BYTES_OF_WORTH = 6;

/** The work and the weights of all slices together. */
export type WholeSize = Pick<SliceSize, 'coreSeconds' | 'weightBytes'>;

export function isWorthwhile(
  { coreSeconds, weightBytes }: WholeSize,
  whole: WholeSize,
  slices: number,
): boolean {
  const least = MIN_SHARE / slices;
  return coreSeconds >= least * whole.coreSeconds || weightBytes >= Math.max(1, least * whole.weightBytes);
}

/** The most that a plan with more worthwhile slices may move and cost to be preferred to a plan that moves and costs so much. */
export function mostForWorth(
  movedBytes: number,
  { dollars }: Pick<RunCost, 'dollars'>,
  slices: number,
): Caps {
  return {
    movedBytes: MAX_BYTES_OF_WORTH * movedAtLeast({ movedBytes, slices }),
    dollars: (1 + COUNTED_TOLERANCE) * dollars,
  };
}

/** The table in which only such slices are allowed. */
export function worthwhile(table: StretchTable, slices: number): StretchTable {
  return table.only((size) => isWorthwhile(size, table, slices));
}
