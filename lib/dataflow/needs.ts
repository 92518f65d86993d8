/** Lists the values that each node needs, and sorts the nodes so that each comes after its producers. */
import { type Graph, type Node, type NodeIndex, type ValueIndex, OMITTED, nodeLabel } from '../onnx/model';
import { SlicedInferenceError } from '../errors';

/** By node: values, each listed once. */
export type NodeValues = readonly (readonly ValueIndex[])[];

/** The inputs of the node and the captures of its body graphs. */
export function neededValues(node: Node): ValueIndex[] {
  const values = new Set([...node.inputs, ...node.captures]);
  values.delete(OMITTED);
  return [...values];
}

/**
 * By node: the values that the node and the repeated nodes before it need, without initializers and without the results
 * of repeated nodes. A slice that runs the node must have these values.
 */
export function valuesRead(
  graph: Graph,
  needs: NodeValues,
  sorted: readonly NodeIndex[],
  isRepeated: readonly boolean[],
): NodeValues {
  const reads = new Array<ValueIndex[]>(needs.length);
  for (const node of sorted) {
    const found = new Set<ValueIndex>();
    for (const value of needs[node]) {
      const { producer, initializer } = graph.values[value];
      if (initializer !== undefined) continue;
      if (producer !== undefined && isRepeated[producer]) for (const read of reads[producer]) found.add(read);
      else found.add(value);
    }
    reads[node] = [...found];
  }
  return reads;
}

const UNSEEN = 0;
const OPEN = 1;
const DONE = 2;

/** Searches depth first from each node in the file's order, so a sorted graph keeps its order. */
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
