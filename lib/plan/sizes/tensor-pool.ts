/** Where tensors get their memory from, and which later tensor takes over the memory of an earlier one. */
import type { ValueIndex } from '../../onnx/model';
import type { SizeClasses } from '../../shapes/size-classes';
import { type Chunk, Arena } from './arena';

/** The memory of a tensor is named after the value that it was allocated for. */
export interface TensorPool {
  allocate(value: ValueIndex, bytes: number): void;
  release(value: ValueIndex, bytes: number): void;
  /** Allocates and releases a temporary buffer. */
  borrow(bytes: number): void;
}

/** By value: the later value that takes over its memory; -1 if there is none. */
export type Heirs = Int32Array;

/**
 * Finds the heirs. When ONNX Runtime plans a session, it gives the memory of a tensor that is no longer needed to the next tensor
 * of which it knows that it has the same size, the latest first. Until then this memory is not free for other sizes.
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/core/framework/allocation_planner.cc (`FindReusableTensor`)
 */
export class HeirFinder implements TensorPool {
  readonly heirs: Heirs;
  /** By class of sizes: the values whose memory is free, the latest last. */
  private readonly free = new Map<number, ValueIndex[]>();

  constructor(private readonly classes: SizeClasses) {
    this.heirs = new Int32Array(classes.length).fill(-1);
  }

  allocate(value: ValueIndex): void {
    const earlier = this.free.get(this.classes[value])?.pop();
    if (earlier !== undefined) this.heirs[earlier] = value;
  }

  release(value: ValueIndex): void {
    const size = this.classes[value];
    const free = this.free.get(size);
    if (free !== undefined) free.push(value);
    else if (size >= 0) this.free.set(size, [value]);
  }

  borrow(): void {
    // Temporary buffers have no heirs.
  }
}

/**
 * Smaller tensors are added up instead of being placed in the arena, because they fit into its gaps. A model has far more
 * of them, so this also saves most of the time.
 */
const SMALL_BYTES = 16 * 1024;

/** Places tensors in the arena. */
export class ArenaPool implements TensorPool {
  private readonly arena = new Arena();
  /** By value: the memory that it has, or will take over. */
  private readonly chunks = new Map<ValueIndex, Chunk>();
  private smallBytes = 0;
  private mostSmallBytes = 0;

  /** @param heirs without the heirs that the slice does not compute; the memory that such an heir would get is free at once */
  constructor(private readonly heirs: Heirs) {}

  /** The most memory so far, in bytes. */
  get peakBytes(): number {
    return this.arena.touchedBytes + this.mostSmallBytes;
  }

  allocate(value: ValueIndex, bytes: number): void {
    if (bytes >= SMALL_BYTES) {
      if (!this.chunks.has(value)) this.chunks.set(value, this.arena.allocate(bytes));
      return;
    }
    this.smallBytes += bytes;
    this.mostSmallBytes = Math.max(this.mostSmallBytes, this.smallBytes);
  }

  release(value: ValueIndex, bytes: number): void {
    const chunk = this.chunks.get(value);
    if (chunk === undefined) {
      this.smallBytes -= bytes;
      return;
    }
    this.chunks.delete(value);
    const heir = this.heirs[value];
    if (heir >= 0) this.chunks.set(heir, chunk);
    else this.arena.release(chunk);
  }

  borrow(bytes: number): void {
    if (bytes >= SMALL_BYTES) this.arena.release(this.arena.allocate(bytes));
  }
}
