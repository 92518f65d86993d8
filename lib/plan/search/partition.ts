/** Stretches of the order of nodes as groups of nodes, and the legal cuts between them. */
import type { CutSpace } from '../cuts/cuts';
import type { Groups } from '../wiring/groups';
import type { StretchPlan } from './plan-request';
import type { Range } from './stretches';

/** The legal cuts inside the range. */
export function legalIn({ legal }: CutSpace, { start, end }: Range): readonly number[] {
  return legal.filter((cut) => cut > start && cut < end);
}

/** The range of all nodes. */
export function whole({ dataflow }: CutSpace): Range {
  return { start: 0, end: dataflow.order.length };
}

/** The nodes of each stretch of a plan. */
export function groupsOf({ dataflow }: CutSpace, { stretches }: StretchPlan): Groups {
  return stretches.map(({ start, end }) => dataflow.order.slice(start, end));
}

/** The nodes between neighboring cuts of the range. */
export function split(space: CutSpace, cuts: readonly number[], { start, end: last }: Range): Groups {
  const { order } = space.dataflow;
  const boundaries = [start, ...cuts, last];
  return boundaries.slice(1).map((end, index) => order.slice(boundaries[index], end));
}
