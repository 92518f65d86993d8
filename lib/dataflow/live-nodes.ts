/** Finds the nodes that the outputs of a model need. */
import type { Graph, ValueIndex } from '../onnx/model';
import type { Casts } from './casts';
import type { NodeValues } from './needs';

/**
 * By node: whether an output needs it.
 *
 * An unused cast of a cast counts as needed if it reads more than one value. With one value it follows the producer of
 * that value into its slice, see `unusedCasts`; with more values it is assigned to a slice like any other node.
 */
export function liveNodes(graph: Graph, needs: NodeValues, { betweenCasts, castInputs }: Casts): boolean[] {
  const live = new Array<boolean>(graph.nodes.length).fill(false);
  const results = graph.outputs.map(({ value }) => value);
  markProducers(graph, needs, results, live);
  for (const { index } of graph.nodes) {
    const followsProducer = needs[index].length === 1;
    if (live[index] || followsProducer || !castInputs[index].some((value) => betweenCasts.has(value)))
      continue;
    live[index] = true;
    markProducers(graph, needs, needs[index], live);
  }
  return live;
}

/** Marks the nodes that compute the values, directly or not. */
function markProducers(
  graph: Graph,
  needs: NodeValues,
  values: readonly ValueIndex[],
  live: boolean[],
): void {
  const pending = [...values];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const { producer } = graph.values[value];
    if (producer === undefined || live[producer]) continue;
    live[producer] = true;
    for (const needed of needs[producer]) pending.push(needed);
  }
}
