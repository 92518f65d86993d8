/** Checks and wires groups of nodes that a slicer chose. */
import { SlicedInferenceError, quoted } from '../../errors';
import type { CrossingRule } from '../../dataflow/crossing';
import { type Dataflow, withRepeated } from '../../dataflow/dataflow';
import type { NodeIndex } from '../../onnx/model';
import { type Groups, type WiredCut, wireSlices } from '../wiring/wiring';

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

/**
 * @throws SlicedInferenceError if the groups do not contain each node of `dataflow.order` exactly once, if a group needs
 * a later group, if a value would cross a cut against `rule`, or if one of several groups is empty
 */
function checkGroups(dataflow: Dataflow, rule: CrossingRule, groups: Groups): void {
  const { model, reads, order } = dataflow;
  const { values } = model.graph;
  const groupOf = new Map(groups.flatMap((nodes, group) => nodes.map((node) => [node, group] as const)));
  const assigned = groups.reduce((sum, nodes) => sum + nodes.length, 0);
  if (assigned !== order.length || !order.every((node) => groupOf.has(node))) {
    throw new SlicedInferenceError(
      `the slices must contain each of the ${order.length} nodes that run in one slice only, exactly once`,
      `${assigned} nodes`,
      'make a new plan for this model',
    );
  }
  groups.forEach((nodes, group) => {
    for (const value of nodes.flatMap((node) => reads[node])) {
      const { producer, name } = values[value];
      const from = producer === undefined ? undefined : groupOf.get(producer);
      if (from === undefined || from === group) continue;
      if (from > group) {
        throw new SlicedInferenceError(
          `slice ${group} must use values that it or an earlier slice computes`,
          `${quoted(name)} of slice ${from}`,
          'make a new plan for this model',
        );
      }
      const reason = rule(value);
      if (reason === undefined) continue;
      throw new SlicedInferenceError(
        'a value that crosses a cut must arrive unchanged',
        `${quoted(name)}, which is ${reason}`,
        'cut elsewhere',
      );
    }
  });
  const empty = groups.findIndex((nodes) => nodes.length === 0);
  if (empty < 0 || groups.length === 1) return;
  throw new SlicedInferenceError(
    'each slice must contain at least one node',
    `none in slice ${empty}`,
    'make a new plan for this model',
  );
}
