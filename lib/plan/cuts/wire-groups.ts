/** Wires groups of nodes that a slicer chose. */
import type { CrossingRule } from '../../dataflow/crossing';
import { type Dataflow, withRepeated } from '../../dataflow/dataflow';
import type { NodeIndex } from '../../onnx/model';
import type { Groups } from '../wiring/groups';
import { type WiredCut, wireSlices } from '../wiring/wiring';
import { checkGroups } from './check-groups';

/**
 * @param dataflow the data flow in which only constant nodes are repeated
 * @throws SlicedInferenceError if the cut would change the results
 */
export function wireGroups(dataflow: Dataflow, rule: CrossingRule, groups: Groups): WiredCut {
  const own = withRepeated(dataflow, unassignedNodes(dataflow, groups));
  checkGroups(own, rule, groups);
  return { dataflow: own, groups, wiring: wireSlices(own, groups) };
}

/** The cheap nodes in no group. They may differ from the nodes that a space of cuts repeats, if the groups are from a plan. */
function unassignedNodes({ order, isCheap }: Dataflow, groups: Groups): Set<NodeIndex> {
  const assigned = new Set(groups.flat());
  return new Set(order.filter((node) => isCheap[node] && !assigned.has(node)));
}
