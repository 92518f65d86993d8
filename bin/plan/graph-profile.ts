/** Profiles a graph in the order of its nodes: weights, compute, live tensors, and the bytes that a cut would move. */
import { HeldWeights, WeightTable } from '../../lib/dataflow/weights';
import { sumOf } from '../../lib/extremes';
import type { CutSpace } from '../../lib/plan/cuts/cuts';
import type { NodeSeconds } from '../../lib/compute-time/node-seconds';
import type { ProfilePoint } from './plan-report';

/** More points than a chart has pixels would help nobody. */
const MOST_POINTS = 400;

export interface ProfiledGraph {
  /** The order of the nodes, and the planned bytes of the values. */
  readonly cuts: CutSpace;
  /** Positions at which a new stretch must begin, ascending, without 0. */
  readonly starts: readonly number[];
  /** Seconds on one vCPU. */
  readonly work: NodeSeconds;
}

/** At most 400 points, and one more for each of `starts`. */
export function graphProfile({ cuts, starts, work }: ProfiledGraph): ProfilePoint[] {
  const { dataflow, crossingBytes } = cuts;
  const { order, model } = dataflow;
  const { nodes, values } = model.graph;
  const held = newlyHeld(cuts, work);
  const live = liveBytes(cuts);
  const legal = new Set(cuts.legal);
  return stretches(order.length, starts).map(({ first, last }): ProfilePoint => {
    const node = nodes[order[last]];
    const output = node.outputs.find((value) => value >= 0);
    const heldInside = held.slice(first, last + 1);
    return {
      first,
      last,
      node: node.name === '' && output !== undefined ? values[output].name : node.name,
      operator: node.opType,
      weightBytes: sumOf(heldInside.map((own) => own.weightBytes)),
      coreSeconds:
        sumOf(order.slice(first, last + 1).map((each) => work[each])) +
        sumOf(heldInside.map((own) => own.repeatedSeconds)),
      liveBytes: live.slice(first, last + 1).reduce((most, bytes) => Math.max(most, bytes), 0),
      crossingBytes: legal.has(last + 1) ? crossingBytes[last + 1] : null,
    };
  });
}

function stretches(nodes: number, starts: readonly number[]): { first: number; last: number }[] {
  const length = Math.max(1, Math.ceil(nodes / MOST_POINTS));
  const boundaries = [0, ...starts, nodes];
  return boundaries.slice(1).flatMap((end, index) => {
    const start = boundaries[index];
    return Array.from({ length: Math.ceil((end - start) / length) }, (_, place) => {
      const first = start + place * length;
      return { first, last: Math.min(first + length, end) - 1 };
    });
  });
}

/** By position: the weights, and the work of constants, that no earlier node needs. */
function newlyHeld(
  { dataflow, bytes }: CutSpace,
  work: NodeSeconds,
): { readonly weightBytes: number; readonly repeatedSeconds: number }[] {
  const held = new HeldWeights(new WeightTable(dataflow, bytes, work));
  return dataflow.order.map((node) => {
    const { weightBytes, repeatedSeconds } = held;
    held.addNode(node);
    return {
      weightBytes: held.weightBytes - weightBytes,
      repeatedSeconds: held.repeatedSeconds - repeatedSeconds,
    };
  });
}

/** By position: the bytes of the values that nodes of the order compute and that are alive while the node there runs. */
function liveBytes({ dataflow, bytes, producedAt, lastUsedAt }: CutSpace): number[] {
  const { order, model } = dataflow;
  const outputs = new Set(model.graph.outputs.map(({ value }) => value));
  const change = new Float64Array(order.length + 1);
  producedAt.forEach((start, value) => {
    if (start < 0) return;
    const end = outputs.has(value) ? order.length - 1 : Math.max(start, lastUsedAt[value]);
    change[start] += bytes[value];
    change[end + 1] -= bytes[value];
  });
  let live = 0;
  return order.map((_, position) => (live += change[position]));
}
