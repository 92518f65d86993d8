/**
 * Brings nodes with the same part of a weight together, as in a recurrent network whose steps are copies of one layer: a slice then holds the part once
 * for all of them. Nodes that wait for the results of each other's parts stay apart.
 */
import type { Graph, Node, NodeIndex } from '../onnx/model';
import { neededValues, topologicalOrder } from '../dataflow/needs';

/**
 * The nodes in their order, or in another topological one.
 *
 * @param weightOf by the name of an output of a part: the name of its part of the weight
 */
export function withEqualPartsTogether(graph: Graph, weightOf: ReadonlyMap<string, string>): readonly Node[] {
  const { nodes, values } = graph;
  const needs = nodes.map(neededValues);
  const groups = new Map<string, NodeIndex[]>();
  // Two groups never wait for each other, because all nodes of a group have as many parts before them.
  const partsBefore = new Int32Array(nodes.length);
  for (const node of topologicalOrder(graph, needs)) {
    for (const value of needs[node])
      partsBefore[node] = Math.max(partsBefore[node], partsBefore[values[value].producer ?? node]);
    const weight = weightOf.get(values[nodes[node].outputs[0]]?.name);
    if (weight === undefined) continue;
    const key = `${++partsBefore[node]} ${weight}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [node]);
    else group.push(node);
  }
  const groupOf = new Map<NodeIndex, readonly NodeIndex[]>();
  for (const group of groups.values())
    if (group.length > 1) for (const node of group) groupOf.set(node, group);
  if (groupOf.size === 0) return nodes;
  // What a group needs comes before its first node, so that the others can follow at once.
  const ofGroups = needs.map((own, node) => groupOf.get(node)?.flatMap((each) => needs[each]) ?? own);
  const order = topologicalOrder(graph, ofGroups).flatMap((node) => groupOf.get(node) ?? [node]);
  return [...new Set(order)].map((node) => nodes[node]);
}
