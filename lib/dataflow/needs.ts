/** Lists the values that each node needs, and the values that it reads once repeated nodes are taken into account. */
import { type Graph, type Node, type NodeIndex, type ValueIndex, OMITTED } from '../onnx/model';

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
