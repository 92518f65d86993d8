/** Tells slices that are worth a function from those that only add calls and transfers. */
import type { SliceSize } from '../sizes/estimate';
import type { StretchTable } from './stretch-table';

/**
 * A slice is worth a function if it has at least this share of the work or of the weights that each of equal slices would have.
 * Numbers of nodes do not count: a few nodes may have most of the weights, and many nodes may only compute shapes.
 */
const MIN_SHARE = 0.1;

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

/** The table in which only such slices are allowed. */
export function worthwhile(table: StretchTable, slices: number): StretchTable {
  return table.only((size) => isWorthwhile(size, table, slices));
}
