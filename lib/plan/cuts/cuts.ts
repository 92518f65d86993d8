/** Where a model may be cut. */
import type { ValueIndex } from '../../onnx/model';
import type { CrossingRule } from '../../dataflow/crossing';
import type { Dataflow } from '../../dataflow/dataflow';

/** The cuts of `order`: cut `c` lies before place `c`, from 1 to `order.length - 1`. */
export interface CutSpace {
  readonly dataflow: Dataflow;
  readonly rule: CrossingRule;
  /** By value, in bytes. */
  readonly bytes: readonly number[];
  /** Bytes of the values that cross each cut. */
  readonly crossingBytes: readonly number[];
  /** A value that crosses the cut and must not; absent where the cut is legal. */
  readonly blocker: readonly (ValueIndex | undefined)[];
  /** The legal cuts, ascending. */
  readonly legal: readonly number[];
  /** More cuts, across which also passes what is cheaper to compute again; absent where nothing is. */
  readonly withoutRepeats?: CutSpace;
  /** By value: the place that makes it and the last that uses it; -1 where none in `order` does. */
  readonly producedAt: Int32Array;
  readonly lastUsedAt: Int32Array;
}

export function findCuts(dataflow: Dataflow, rule: CrossingRule, bytes: readonly number[]): CutSpace {
  const { order, reads, model, isLive } = dataflow;
  const { values, nodes } = model.graph;
  const firstLive = order.findIndex((node) => isLive[node]);
  const producedAt = new Int32Array(values.length).fill(-1);
  const lastUsedAt = new Int32Array(values.length).fill(-1);
  order.forEach((node, place) => {
    for (const output of nodes[node].outputs) if (output >= 0) producedAt[output] = place;
    for (const value of reads[node]) lastUsedAt[value] = place;
  });
  const change = new Float64Array(order.length + 2);
  const blocker = new Array<ValueIndex | undefined>(order.length + 1);
  let blockedUntil = 0;
  const crossing = values
    .map((_, value) => value)
    .filter((value) => producedAt[value] >= 0 && lastUsedAt[value] > producedAt[value]);
  crossing.sort((a, b) => producedAt[a] - producedAt[b]);
  for (const value of crossing) {
    change[producedAt[value] + 1] += bytes[value];
    change[lastUsedAt[value] + 1] -= bytes[value];
    if (rule(value) === undefined) continue;
    // Values come in the order in which they are producedAt, so that each cut is marked once.
    for (let cut = Math.max(producedAt[value] + 1, blockedUntil); cut <= lastUsedAt[value]; cut++)
      blocker[cut] = value;
    blockedUntil = Math.max(blockedUntil, lastUsedAt[value] + 1);
  }
  const crossingBytes: number[] = [];
  const legal: number[] = [];
  let live = 0;
  for (let cut = 0; cut <= order.length; cut++) {
    live += change[cut];
    crossingBytes.push(live);
    if (cut === 0 || cut === order.length || blocker[cut] !== undefined) continue;
    // Each slice begins with a node that an output needs, the first one has such a node further on: none is useless.
    if (cut > firstLive && isLive[order[cut]]) legal.push(cut);
  }
  return { dataflow, rule, bytes, crossingBytes, blocker, legal, producedAt, lastUsedAt };
}

/** Into how many slices a model can be cut. */
export function mostSlices(cuts: CutSpace): number {
  return (cuts.withoutRepeats ?? cuts).legal.length + 1;
}
