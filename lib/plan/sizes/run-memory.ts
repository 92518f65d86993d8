/** Follows the nodes of a slice as ONNX Runtime runs them, to learn how much memory their tensors take. */
import type { NodeIndex, ValueIndex } from '../../onnx/model';
import { OMITTED } from '../../onnx/model';
import type { Chunk } from './arena';
import { Arena } from './arena';
import type { NodeMemory } from './node-memory';
import { SMALL_BYTES } from './node-memory';
import type { SliceSize } from './estimate';

/** A buffer in the arena, or a small one. Views and results in place share it. */
interface TensorBuffer {
  readonly bytes: number;
  /** Absent for a small buffer. */
  readonly chunk?: Chunk;
  /** Uses to come of all values in it. At 0 it is released. */
  pending: number;
}

/**
 * Repeated nodes run just before the first node that needs them. A tensor is released after its last use; a tensor that a later
 * slice or the caller needs stays.
 */
export class RunMemory {
  private readonly arena = new Arena();
  private readonly buffers: (TensorBuffer | undefined)[];
  private readonly hasRun: Uint8Array;
  /** By value: whether it shares the buffer of an input. */
  private readonly isShared: Uint8Array;
  /** The largest tensor so far, in bytes. */
  private largestBytes = 0;
  /** The number of nodes so far. */
  private nodes = 0;
  private smallBytes = 0;
  private mostSmallBytes = 0;
  private sharedBytes = 0;

  /** @param uses by value: how often the slice uses it, with one more use for an output. This object counts them down. */
  constructor(
    private readonly memory: NodeMemory,
    private readonly uses: Int32Array,
  ) {
    const { values, nodes } = memory.dataflow.model.graph;
    this.buffers = new Array<TensorBuffer | undefined>(values.length);
    this.isShared = new Uint8Array(values.length);
    this.hasRun = new Uint8Array(nodes.length);
  }

  get sizes(): Pick<SliceSize, 'activationBytes' | 'largestBytes' | 'nodes'> {
    const { peakBytes: activationBytes, largestBytes, nodes } = this;
    return { activationBytes, largestBytes, nodes };
  }

  /**
   * The most memory so far, in bytes. ONNX Runtime copies an output that would be a view or in place, so such outputs count
   * twice.
   */
  private get peakBytes(): number {
    return this.arena.touchedBytes + this.mostSmallBytes + this.sharedBytes;
  }

  /** Runs the node, after the repeated nodes that it needs. */
  run(node: NodeIndex): void {
    this.require(node);
    this.execute(node);
  }

  /** Runs the repeated node that computes the value, unless it has run. */
  compute(value: ValueIndex): void {
    const { producer } = this.memory.dataflow.model.graph.values[value];
    if (producer === undefined || !this.memory.dataflow.isRepeated[producer] || this.hasRun[producer]) return;
    this.hasRun[producer] = 1;
    this.run(producer);
  }

  private require(node: NodeIndex): void {
    const { repeatedNeeds } = this.memory;
    const pending = [...repeatedNeeds[node]];
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
    this.nodes++;
    const { inputs, outputs, constant } = dataflow.model.graph.nodes[node];
    // The tensor of a `Constant` node is a weight.
    if (constant !== undefined) return;
    outputs.forEach((output, index) => {
      if (output === OMITTED) return;
      const shared = index === 0 ? this.sharedBuffer(node, inputs, output) : undefined;
      if (shared === undefined) this.buffers[output] = this.allocate(output);
      else if (shared !== 'outside') {
        shared.pending += this.uses[output];
        this.buffers[output] = shared;
      }
      if (shared === undefined) return;
      this.isShared[output] = 1;
      this.sharedBytes += this.memory.bytes[output];
    });
    if (scratch[node] > 0) this.borrow(scratch[node]);
    for (const value of dataflow.needs[node]) this.use(value);
  }

  /** The buffer of the input that the output shares; `outside` if that is a tensor which the slice reads, or a weight. */
  private sharedBuffer(
    node: NodeIndex,
    inputs: readonly ValueIndex[],
    output: ValueIndex,
  ): TensorBuffer | 'outside' | undefined {
    const kind = this.memory.outputMemory[node];
    const input = inputs.at(0) ?? OMITTED;
    if (kind === 'new' || input === OMITTED) return undefined;
    const buffer = this.buffers[input];
    if (kind === 'view') return buffer ?? 'outside';
    const { bytes } = this.memory;
    return buffer?.pending === 1 && bytes[input] === bytes[output] ? buffer : undefined;
  }

  private allocate(value: ValueIndex): TensorBuffer {
    const bytes = this.memory.bytes[value];
    const pending = this.uses[value];
    this.largestBytes = Math.max(this.largestBytes, bytes);
    if (bytes >= SMALL_BYTES) return { bytes, chunk: this.arena.allocate(bytes), pending };
    this.smallBytes += bytes;
    this.mostSmallBytes = Math.max(this.mostSmallBytes, this.smallBytes);
    return { bytes, pending };
  }

  private borrow(bytes: number): void {
    if (bytes >= SMALL_BYTES) this.arena.release(this.arena.allocate(bytes));
  }

  private use(value: ValueIndex): void {
    const left = --this.uses[value];
    const buffer = this.buffers[value];
    if (left === 0 && this.isShared[value] === 1) this.sharedBytes -= this.memory.bytes[value];
    if (buffer === undefined || --buffer.pending > 0) return;
    if (buffer.chunk === undefined) this.smallBytes -= buffer.bytes;
    else this.arena.release(buffer.chunk);
  }
}
