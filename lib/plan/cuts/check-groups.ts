/** The last word before a cut: refuses groups of nodes between which a value would cross that must not. */
import { SlicedInferenceError, quoted } from '../../errors';
import type { CrossingRule } from '../../dataflow/crossing';
import type { Dataflow } from '../../dataflow/dataflow';
import type { Groups } from '../groups';

/**
 * @throws SlicedInferenceError when the groups do not share out exactly the nodes of `dataflow.order`, when a group
 * needs a later one, or when a value that cannot cross would
 */
export function checkGroups(dataflow: Dataflow, rule: CrossingRule, groups: Groups): void {
  const { model, reads, order } = dataflow;
  const { values } = model.graph;
  const groupOf = new Map(groups.flatMap((nodes, group) => nodes.map((node) => [node, group] as const)));
  const placed = groups.reduce((sum, nodes) => sum + nodes.length, 0);
  if (placed !== order.length || !order.every((node) => groupOf.has(node))) {
    throw new SlicedInferenceError(
      `the slices must hold each of the ${order.length} nodes to share out once`,
      `${placed} nodes`,
      'make the plan again for this model',
    );
  }
  groups.forEach((nodes, group) => {
    for (const value of nodes.flatMap((node) => reads[node])) {
      const { producer, name } = values[value];
      const from = producer === undefined ? undefined : groupOf.get(producer);
      if (from === undefined || from === group) continue;
      if (from > group) {
        throw new SlicedInferenceError(
          `slice ${group} must use values that it or an earlier slice makes`,
          `${quoted(name)} of slice ${from}`,
          'make the plan again for this model',
        );
      }
      const reason = rule(value);
      if (reason === undefined) continue;
      throw new SlicedInferenceError(
        'a value that crosses a cut must come through as it is',
        `${quoted(name)}, which is ${reason}`,
        'cut elsewhere',
      );
    }
  });
  const empty = groups.findIndex((nodes) => nodes.length === 0);
  if (empty < 0 || groups.length === 1) return;
  throw new SlicedInferenceError(
    'each slice must hold a node or more',
    `none in slice ${empty}`,
    'make the plan again for this model',
  );
}
