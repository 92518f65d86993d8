/** Follows the nodes of a slice as ONNX Runtime runs them, to learn how much memory their tensors take. */
import { type NodeIndex, type ValueIndex, OMITTED } from '../../onnx/model';
import { type NodeMemory, type MemoryEstimates, nodeMemory } from './node-memory';
import { type TensorPool, type ArenaPool, type Heirs, HeirFinder } from './arena';
import type { Dataflow } from '../../dataflow/dataflow';
import type { HeldWeights } from '../../dataflow/weights';
import type { SliceSize } from './estimate';

/** Marks a value without memory of its own: a weight, or a tensor that the slice reads. */
const OUTSIDE = -1;

/**
 * Repeated nodes run just before the first node that needs them. A tensor is released after its last use; a tensor that a later
 * slice or the caller needs stays.
 */
export class RunMemory {
  largestBytes = 0;
  nodes = 0;
  /**
   * Bytes of the values that share a buffer and are still to be used. ONNX Runtime copies them if the slice ends here, because
   * an output is neither a view nor in place.
   */
  sharedBytes = 0;
  /** By value: the value for which its memory was allocated. Views and results in place share the memory of an input. */
  private readonly owner: Int32Array;
  /** By owner: uses to come of all values in its memory. At 0 the memory is released. */
  private readonly pending: Int32Array;
  private readonly hasRun: Uint8Array;
  private readonly isShared: Uint8Array;
  private readonly bytes: readonly number[];

  /** @param uses by value: how often the slice uses it, with one more use for an output. This object counts them down. */
  constructor(
    private readonly memory: NodeMemory,
    private readonly uses: Int32Array,
    private readonly pool: TensorPool,
  ) {
    const { values, nodes } = memory.dataflow.model.graph;
    this.owner = new Int32Array(values.length).fill(OUTSIDE);
    this.pending = new Int32Array(values.length);
    this.hasRun = new Uint8Array(nodes.length);
    this.isShared = new Uint8Array(values.length);
    this.bytes = memory.bytes;
  }

  run(node: NodeIndex): void {
    const repeated = this.memory.repeatedNeeds[node];
    if (repeated.length > 0) this.runRepeated(repeated);
    this.execute(node);
  }

  /** Runs the repeated nodes that have not run yet, and those that they need. */
  runRepeated(nodes: readonly NodeIndex[]): void {
    const { repeatedNeeds } = this.memory;
    const pending = [...nodes];
    for (let next = pending.at(-1); next !== undefined; next = pending.at(-1)) {
      const missing = this.hasRun[next] ? [] : repeatedNeeds[next].filter((needed) => !this.hasRun[needed]);
      if (missing.length > 0) {
        pending.push(...missing);
        continue;
      }
      pending.pop();
      if (this.hasRun[next]) continue;
      this.hasRun[next] = 1;
      this.execute(next);
    }
  }

  private execute(node: NodeIndex): void {
    const { dataflow, scratch } = this.memory;
    const { inputs, outputs, constant } = dataflow.model.graph.nodes[node];
    this.nodes++;
    // The tensor of a `Constant` node is a weight.
    if (constant !== undefined) return;
    for (let index = 0; index < outputs.length; index++) {
      const output = outputs[index];
      if (output === OMITTED) continue;
      if (index === 0 && inputs.length > 0 && this.shares(node, inputs[0], output))
        this.share(inputs[0], output);
      else this.allocate(output);
    }
    if (scratch[node] > 0) this.pool.borrow(scratch[node]);
    for (const value of dataflow.needs[node]) this.use(value);
  }

  private shares(node: NodeIndex, input: ValueIndex, output: ValueIndex): boolean {
    const kind = this.memory.outputMemory[node];
    if (kind === 'new' || input === OMITTED) return false;
    if (kind === 'view') return true;
    const owner = this.owner[input];
    return owner !== OUTSIDE && this.pending[owner] === 1 && this.isSameSize(input, output);
  }

  private isSameSize(one: ValueIndex, other: ValueIndex): boolean {
    const { classes } = this.memory;
    return classes[one] >= 0 && classes[one] === classes[other];
  }

  private share(input: ValueIndex, output: ValueIndex): void {
    const owner = this.owner[input];
    this.owner[output] = owner;
    if (owner !== OUTSIDE) this.pending[owner] += this.uses[output];
    // A shared output without uses is never used up.
    if (this.uses[output] > 0) this.sharedBytes += this.bytes[output];
    this.isShared[output] = 1;
  }

  private allocate(value: ValueIndex): void {
    const bytes = this.bytes[value];
    if (bytes > this.largestBytes) this.largestBytes = bytes;
    this.pool.allocate(value, bytes);
    this.owner[value] = value;
    this.pending[value] = this.uses[value];
  }

  private use(value: ValueIndex): void {
    const left = --this.uses[value];
    if (left === 0 && this.isShared[value] === 1) this.sharedBytes -= this.bytes[value];
    const owner = this.owner[value];
    if (owner !== OUTSIDE && --this.pending[owner] === 0) this.pool.release(owner, this.bytes[owner]);
  }
}

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

/** The part of the size of a slice that follows from its nodes, whatever the other slices are. */
export type ComputedSize = Omit<
  SliceSize,
  'readBytes' | 'requestBytes' | 'gets' | 'requestGets' | 'writeBytes' | 'outputBytes'
>;

/** The size of the slice whose weights are held and whose nodes ran with memory from the pool. */
export function sizeOf(
  { weightBytes, mappedBytes, packedBytes, bodyBytes, repeatedBytes }: HeldWeights,
  pool: ArenaPool,
  { sharedBytes: copiedBytes, largestBytes, nodes }: RunMemory,
  { computedBytes, coreSeconds }: Pick<SliceSize, 'computedBytes' | 'coreSeconds'>,
): ComputedSize {
  return {
    ...{ weightBytes, mappedBytes, packedBytes, bodyBytes },
    activationBytes: pool.peakBytes,
    ...{ largestBytes, copiedBytes },
    computedBytes: computedBytes + repeatedBytes,
    ...{ coreSeconds, nodes },
  };
}
