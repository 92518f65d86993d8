/** Simple ways to cut into a fixed number of slices. A fixed number of slices never moves more bytes than these. */
import { HeldWeights, WeightTable } from '../../dataflow/weights';
import type { CutSpace } from '../cuts/cuts';
import type { Range } from './stretches';

/** Equal numbers of nodes: the legal cuts nearest to the multiples of a slice's share. */
export function equalCuts(
  legal: readonly number[],
  { start, end }: Range,
  slices: number,
): readonly number[] {
  const targets = Array.from(
    { length: slices - 1 },
    (_, index) => start + ((index + 1) * (end - start)) / slices,
  );
  return nearestCuts(legal, targets);
}

/** Greedy filling: a slice ends when its weights and the tensors that it computes reach its share of the whole. */
export function greedyCuts(
  space: CutSpace,
  legal: readonly number[],
  { start, end }: Range,
  slices: number,
): readonly number[] {
  const table = new WeightTable(space.dataflow, space.bytes);
  const held = new HeldWeights(table);
  const filled: number[] = [];
  let computed = 0;
  for (const node of space.dataflow.order.slice(start, end)) {
    held.addNode(node);
    computed += table.outputBytes(node);
    filled.push(held.weightBytes + computed);
  }
  const total = filled[filled.length - 1];
  const targets = Array.from({ length: slices - 1 }, (_, index) => {
    const target = ((index + 1) * total) / slices;
    return start + 1 + filled.findIndex((bytes) => bytes >= target);
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
