/** Follows the nodes of a slice as ONNX Runtime runs them, to learn how much memory their tensors take. */
import type { NodeIndex, ValueIndex } from '../../onnx/model';
import { OMITTED } from '../../onnx/model';
import type { NodeMemory } from './node-memory';
import type { TensorPool } from './tensor-pool';

/** The memory of a tensor. Views and results in place share it. */
interface TensorBuffer {
  /** The value that it was allocated for. */
  readonly owner: ValueIndex;
  readonly bytes: number;
  /** Uses to come of all values in it. At 0 it is released. */
  pending: number;
}

/**
 * Repeated nodes run just before the first node that needs them. A tensor is released after its last use; a tensor that a later
 * slice or the caller needs stays.
 */
export class RunMemory {
  /** The largest tensor so far, in bytes. */
  largestBytes = 0;
  /** The number of nodes so far. */
  nodes = 0;
  /**
   * Bytes of the values that share a buffer and are still to be used. ONNX Runtime copies them if the slice ends here, because
   * an output is neither a view nor in place.
   */
  sharedBytes = 0;
  private readonly buffers: (TensorBuffer | undefined)[];
  private readonly hasRun: Uint8Array;
  /** By value: whether it shares the buffer of an input. */
  private readonly isShared: Uint8Array;

  /** @param uses by value: how often the slice uses it, with one more use for an output. This object counts them down. */
  constructor(
    private readonly memory: NodeMemory,
    private readonly uses: Int32Array,
    private readonly pool: TensorPool,
  ) {
    const { values, nodes } = memory.dataflow.model.graph;
    this.buffers = new Array<TensorBuffer | undefined>(values.length);
    this.isShared = new Uint8Array(values.length);
    this.hasRun = new Uint8Array(nodes.length);
  }

  /** Runs the node, after the repeated nodes that it needs. */
  run(node: NodeIndex): void {
    this.runRepeated(this.memory.repeatedNeeds[node]);
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
    const { dataflow, scratch, bytes } = this.memory;
    const { outputs, constant } = dataflow.model.graph.nodes[node];
    this.nodes++;
    // The tensor of a `Constant` node is a weight.
    if (constant !== undefined) return;
    outputs.forEach((output, index) => {
      if (output === OMITTED) return;
      const shared = index === 0 ? this.sharedBuffer(node, output) : undefined;
      if (shared === undefined) {
        this.buffers[output] = this.allocate(output);
        return;
      }
      if (shared !== 'outside') {
        shared.pending += this.uses[output];
        this.buffers[output] = shared;
      }
      this.isShared[output] = 1;
      this.sharedBytes += bytes[output];
    });
    if (scratch[node] > 0) this.pool.borrow(scratch[node]);
    for (const value of dataflow.needs[node]) this.use(value);
  }

  /** The buffer of the input that the output shares; `outside` if that is a tensor which the slice reads, or a weight. */
  private sharedBuffer(node: NodeIndex, output: ValueIndex): TensorBuffer | 'outside' | undefined {
    const { dataflow, outputMemory, bytes } = this.memory;
    const input = dataflow.model.graph.nodes[node].inputs.at(0) ?? OMITTED;
    if (outputMemory[node] === 'new' || input === OMITTED) return undefined;
    const buffer = this.buffers[input];
    if (outputMemory[node] === 'view') return buffer ?? 'outside';
    return buffer?.pending === 1 && bytes[input] === bytes[output] ? buffer : undefined;
  }

  private allocate(owner: ValueIndex): TensorBuffer {
    const bytes = this.memory.bytes[owner];
    this.largestBytes = Math.max(this.largestBytes, bytes);
    this.pool.allocate(owner, bytes);
    return { owner, bytes, pending: this.uses[owner] };
  }

  private use(value: ValueIndex): void {
    const left = --this.uses[value];
    if (left === 0 && this.isShared[value] === 1) this.sharedBytes -= this.memory.bytes[value];
    const buffer = this.buffers[value];
    if (buffer !== undefined && --buffer.pending === 0) this.pool.release(buffer.owner, buffer.bytes);
  }
}
