/** Sorts the nodes of a graph so that each comes after its producers. */
import { SlicedInferenceError } from '../errors';
import { type Graph, type NodeIndex, nodeLabel } from '../onnx/model';
import type { NodeValues } from './needs';

const UNSEEN = 0;
const OPEN = 1;
const DONE = 2;

/**
 * Searches depth first from each node in the file's order, so a sorted graph keeps its order.
 *
 * @throws SlicedInferenceError for a cyclic graph
 */
export function topologicalOrder(graph: Graph, needs: NodeValues): NodeIndex[] {
  const state = new Uint8Array(graph.nodes.length);
  const next = new Int32Array(graph.nodes.length);
  const order: NodeIndex[] = [];
  for (const root of graph.nodes) {
    if (state[root.index] !== UNSEEN) continue;
    const stack = [root.index];
    state[root.index] = OPEN;
    while (stack.length > 0) {
      const node = stack[stack.length - 1];
      if (next[node] === needs[node].length) {
        state[node] = DONE;
        order.push(node);
        stack.pop();
        continue;
      }
      const { producer } = graph.values[needs[node][next[node]++]];
      if (producer === undefined || state[producer] === DONE) continue;
      if (state[producer] === OPEN) {
        throw new SlicedInferenceError(
          `${nodeLabel(graph.nodes[producer])} must not depend on itself`,
          'a cyclic graph',
          'the file is damaged; export the model again',
        );
      }
      state[producer] = OPEN;
      stack.push(producer);
    }
  }
  return order;
}
