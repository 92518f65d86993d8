/** The memory of a model's nodes, prepared for every possible slice. */
import type { Dataflow } from '../../dataflow/dataflow';
import type { HeldWeights } from '../../dataflow/weights';
import type { SliceSize } from './estimate';
import { type MemoryEstimates, type NodeMemory, nodeMemory } from './node-memory';
import { RunMemory } from './run-memory';
import { type ArenaPool, type Heirs, HeirFinder } from './tensor-pool';

/** The table of a model, and the heirs when one slice runs all its nodes. */
export interface ModelMemory extends NodeMemory {
  readonly heirs: Heirs;
}

export function modelMemory(
  dataflow: Dataflow,
  bytes: readonly number[],
  estimates: MemoryEstimates,
): ModelMemory {
  const memory = nodeMemory(dataflow, bytes, estimates);
  const finder = new HeirFinder(memory.classes);
  const run = new RunMemory(memory, usesFrom(memory, 0), finder);
  for (const node of dataflow.order) run.run(node);
  return { ...memory, heirs: finder.heirs };
}

/**
 * By value: how often a slice uses it that begins at position `start` of `order`: one use for each node from there on, one for
 * each repeated node, and one if it is a result.
 */
export function usesFrom({ dataflow, repeatedUsers }: NodeMemory, start: number): Int32Array {
  const { order, needs, model } = dataflow;
  const uses = Int32Array.from(repeatedUsers);
  for (let position = start; position < order.length; position++) {
    for (const value of needs[order[position]]) uses[value]++;
  }
  for (const { value } of model.graph.outputs) uses[value]++;
  return uses;
}

/** What a slice reads, writes and computes; `computedBytes` without the results of repeated nodes. */
type Moved = Pick<SliceSize, 'readBytes' | 'readTensors' | 'writeBytes' | 'computedBytes' | 'coreSeconds'>;

/** The size of the slice whose weights are held and whose nodes ran with memory from the pool. */
export function sizeOf(
  { weightBytes, mappedBytes, bodyBytes, repeatedBytes }: HeldWeights,
  pool: ArenaPool,
  { sharedBytes: copiedBytes, largestBytes, nodes }: RunMemory,
  { computedBytes, ...moved }: Moved,
): SliceSize {
  return {
    weightBytes,
    mappedBytes,
    bodyBytes,
    activationBytes: pool.peakBytes,
    largestBytes,
    ...moved,
    copiedBytes,
    computedBytes: computedBytes + repeatedBytes,
    nodes,
  };
}
