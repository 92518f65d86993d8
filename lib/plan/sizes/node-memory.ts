/** What each node of a model adds to the memory of a slice, computed once and used for every possible slice. */
import type { Dataflow } from '../../dataflow/dataflow';
import type { NodeIndex, ValueIndex } from '../../onnx/model';
import { OMITTED } from '../../onnx/model';
import type { OutputMemory } from './kernels';
import { outputMemory, scratchBytes } from './kernels';

/**
 * Smaller tensors are added up instead of being placed in the arena, because they fit into its gaps. A model has far more
 * of them, so this also saves most of the time.
 */
export const SMALL_BYTES = 16 * 1024;

export interface NodeMemory {
  readonly dataflow: Dataflow;
  /** By value: its bytes. */
  readonly bytes: readonly number[];
  /** By node: how its first output gets its memory. */
  readonly outputMemory: readonly OutputMemory[];
  /** By node: bytes of temporary buffers. */
  readonly scratch: Float64Array;
  /** By value: the number of repeated nodes that need it. */
  readonly repeatedUsers: Int32Array;
  /** By node: the repeated nodes whose results it needs directly. */
  readonly repeatedNeeds: readonly (readonly NodeIndex[])[];
}

export function nodeMemory(dataflow: Dataflow, bytes: readonly number[]): NodeMemory {
  const { model, needs, isRepeated, isLive } = dataflow;
  const { graph } = model;
  const repeatedUsers = new Int32Array(graph.values.length);
  graph.nodes.forEach((_, node) => {
    if (isRepeated[node] && isLive[node]) for (const value of needs[node]) repeatedUsers[value]++;
  });
  return {
    dataflow,
    bytes,
    outputMemory: graph.nodes.map(outputMemory),
    scratch: Float64Array.from(graph.nodes, (node) => scratchBytes(graph, node, bytes)),
    repeatedUsers,
    repeatedNeeds: needs.map((values) => repeatedProducers(dataflow, values)),
  };
}

function repeatedProducers(
  { model, isRepeated }: Dataflow,
  values: readonly ValueIndex[],
): readonly NodeIndex[] {
  const producers = values.flatMap((value) => {
    if (value === OMITTED) return [];
    const { producer } = model.graph.values[value];
    return producer !== undefined && isRepeated[producer] ? [producer] : [];
  });
  return [...new Set(producers)];
}
