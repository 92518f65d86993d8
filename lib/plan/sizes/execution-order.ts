/**
 * The order in which ONNX Runtime runs the nodes of a graph. It is not the order of the file: the runtime goes backward and depth first
 * from the nodes whose results no other node reads. Of several nodes it takes the last one in the file first.
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/core/graph/graph_viewer.cc (`ReverseDFSFrom`)
 */
import type { Dataflow } from '../../dataflow/dataflow';
import type { NodeIndex } from '../../onnx/model';

/** @param nodes the nodes of the graph, in the order of its file, which is topological */
export function executionOrder(
  { needs, model }: Pick<Dataflow, 'needs' | 'model'>,
  nodes: readonly NodeIndex[],
): NodeIndex[] {
  const { values } = model.graph;
  const position = new Map(nodes.map((node, place) => [node, place]));
  /** By position: the positions of the nodes that compute what the node needs, ascending. */
  const producers = nodes.map((node) => {
    const found = new Set<number>();
    for (const value of needs[node]) {
      const { producer } = values[value];
      const place = producer === undefined ? undefined : position.get(producer);
      if (place !== undefined) found.add(place);
    }
    return [...found].sort((a, b) => a - b);
  });
  const isRead = new Uint8Array(nodes.length);
  for (const found of producers) for (const place of found) isRead[place] = 1;
  return depthFirst(producers, isRead).map((place) => nodes[place]);
}

/** Marks a node on the stack whose producers are done; other entries are not negative. */
const left = (place: number): number => -1 - place;

function depthFirst(producers: readonly (readonly number[])[], isRead: Uint8Array): number[] {
  const order: number[] = [];
  const isVisited = new Uint8Array(producers.length);
  const stack: number[] = [];
  for (let place = 0; place < producers.length; place++) if (isRead[place] === 0) stack.push(place);
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next < 0) {
      order.push(left(next));
      continue;
    }
    if (isVisited[next] === 1) continue;
    isVisited[next] = 1;
    stack.push(left(next));
    for (const producer of producers[next]) if (isVisited[producer] === 0) stack.push(producer);
  }
  return order;
}
