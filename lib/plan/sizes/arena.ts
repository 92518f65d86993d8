/**
 * Simulates the arena from which ONNX Runtime takes the memory of tensors and scratch buffers, to learn how much of it a run
 * touches. Freed memory stays with the process, and a run with tensors of many sizes cannot always fill the gaps.
 *
 * The rules are those of `BFCArena` with the options that a session uses by default:
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/core/framework/bfc_arena.cc
 */
import type { ValueIndex } from '../../onnx/model';
import type { SizeClasses } from '../../shapes/value-types';

const ALIGNMENT = 256;
/** Size of the first region. The next ones are at least as large; each power of two is used twice. */
const FIRST_REGION = 2 ** 20;
/** Regions do not grow beyond this, unless one tensor needs more. */
const LARGEST_REGION = 2 ** 30;
/** A chunk is split if at least half of it would stay unused, or this many bytes. */
const MOST_UNUSED = 128 * 2 ** 20;

const NONE = -1;

/** Index of a chunk of memory. */
export type Chunk = number;

export class Arena {
  /**
   * Bytes of the arena that were ever part of a tensor. The rest of a region is no memory of the process, because its pages
   * were never written.
   */
  touchedBytes = 0;
  private nextRegion = FIRST_REGION;
  private readonly touched: number[] = [];
  private readonly region: number[] = [];
  private readonly offset: number[] = [];
  private readonly size: number[] = [];
  private readonly before: Chunk[] = [];
  private readonly after: Chunk[] = [];
  private readonly isFree: boolean[] = [];
  /** Free chunks by size, then by age: the smallest that fits is taken. */
  private readonly free: Chunk[] = [];

  allocate(bytes: number): Chunk {
    const needed = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    if (this.placeOf(needed) === this.free.length) this.extend(needed);
    const [chunk] = this.free.splice(this.placeOf(needed), 1);
    this.isFree[chunk] = false;
    const unused = this.size[chunk] - needed;
    if (unused >= needed || unused >= MOST_UNUSED) this.split(chunk, needed);
    this.touch(this.region[chunk], this.offset[chunk] + bytes);
    return chunk;
  }

  release(chunk: Chunk): void {
    let merged = chunk;
    const before = this.before[chunk];
    if (before !== NONE && this.isFree[before]) {
      this.forget(before);
      merged = this.merge(before, chunk);
    }
    const after = this.after[merged];
    if (after !== NONE && this.isFree[after]) {
      this.forget(after);
      this.merge(merged, after);
    }
    this.offer(merged);
  }

  private extend(needed: number): void {
    let grown = false;
    while (needed > this.nextRegion && this.nextRegion < LARGEST_REGION) {
      this.nextRegion *= 2;
      grown = true;
    }
    const bytes = Math.max(needed, this.nextRegion);
    if (!grown && this.nextRegion < LARGEST_REGION) this.nextRegion *= 2;
    this.touched.push(0);
    this.offer(this.add(this.touched.length - 1, 0, bytes));
  }

  private split(chunk: Chunk, bytes: number): void {
    const rest = this.add(this.region[chunk], this.offset[chunk] + bytes, this.size[chunk] - bytes);
    const after = this.after[chunk];
    this.size[chunk] = bytes;
    this.after[chunk] = rest;
    this.before[rest] = chunk;
    this.after[rest] = after;
    if (after !== NONE) this.before[after] = rest;
    this.offer(rest);
  }

  private merge(first: Chunk, second: Chunk): Chunk {
    this.size[first] += this.size[second];
    const after = this.after[second];
    this.after[first] = after;
    if (after !== NONE) this.before[after] = first;
    return first;
  }

  private add(region: number, offset: number, bytes: number): Chunk {
    this.region.push(region);
    this.offset.push(offset);
    this.size.push(bytes);
    this.before.push(NONE);
    this.after.push(NONE);
    this.isFree.push(false);
    return this.size.length - 1;
  }

  private offer(chunk: Chunk): void {
    this.isFree[chunk] = true;
    this.free.splice(this.placeOf(this.size[chunk]), 0, chunk);
  }

  private forget(chunk: Chunk): void {
    this.isFree[chunk] = false;
    let place = this.placeOf(this.size[chunk]);
    while (this.free[place] !== chunk) place++;
    this.free.splice(place, 1);
  }

  private placeOf(bytes: number): number {
    let [low, high] = [0, this.free.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.size[this.free[middle]] < bytes) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private touch(region: number, end: number): void {
    if (end <= this.touched[region]) return;
    this.touchedBytes += end - this.touched[region];
    this.touched[region] = end;
  }
}

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

export class ArenaPool implements TensorPool {
  private readonly arena = new Arena();
  /** By value: the memory that it has, or will take over. */
  private readonly chunks = new Map<ValueIndex, Chunk>();
  private smallBytes = 0;
  private mostSmallBytes = 0;

  /** @param heirs without the heirs that the slice does not compute; the memory that such an heir would get is free at once */
  constructor(private readonly heirs: Heirs) {}

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
