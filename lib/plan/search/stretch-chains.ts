/** Chains of a fixed number of stretches that together are the whole range: those that move the fewest bytes within limits. */
import type { SliceSize } from '../sizes/estimate';
import { memoryMb } from '../sizes/estimate';
import type { StretchTable } from './stretch-table';

/** Sums of squares that differ by less are equal but for rounding; then the chain stays the same at every size of the model. */
const TIE = 1e-9;

/** Limits on each stretch of a chain. A limit that is absent does not bind. */
export interface StretchLimits {
  /** Of its function. */
  readonly mostMemoryMb?: number;
  /** Of computing on one vCPU. */
  readonly leastSeconds?: number;
  readonly mostSeconds?: number;
  /** Of its function in a run, see `busyMs`. */
  readonly mostMs?: number;
}

export interface Chain {
  /** Positions in the order of nodes. */
  readonly cuts: readonly number[];
  /** What all stretches together read and write. */
  readonly movedBytes: number;
}

/** The stretches of a table as parallel lists, because a search goes through all of them many times. */
export class StretchChains {
  /** By stretch, those with the same first boundary together, ascending: boundaries, and what it needs. */
  private readonly from: Int32Array;
  private readonly to: Int32Array;
  private readonly bytes: Float64Array;
  private readonly memory: Float64Array;
  private readonly seconds: Float64Array;
  private readonly ms: Float64Array;

  /**
   * @param length number of stretches of a chain
   * @param busyMs milliseconds of the function of such a slice in a run
   * @param needed cuts that each chain has, among others
   */
  constructor(
    private readonly table: StretchTable,
    private readonly length: number,
    busyMs: (size: SliceSize) => number,
    needed: readonly number[] = [],
  ) {
    const { boundaries } = table;
    const stretches = table.stretches.flatMap((sizes, from) => {
      const next = needed.find((cut) => cut > boundaries[from]) ?? Infinity;
      return sizes.flatMap((size, offset) => {
        const to = from + 1 + offset;
        return size === undefined || boundaries[to] > next ? [] : [{ from, to, size }];
      });
    });
    this.from = Int32Array.from(stretches, ({ from }) => from);
    this.to = Int32Array.from(stretches, ({ to }) => to);
    this.bytes = Float64Array.from(stretches, ({ size }) => size.readBytes + size.writeBytes);
    this.memory = Float64Array.from(stretches, ({ size }) => memoryMb(size));
    this.seconds = Float64Array.from(stretches, ({ size }) => size.coreSeconds);
    this.ms = Float64Array.from(stretches, ({ size }) => busyMs(size));
  }

  /** The memory sizes of all stretches, ascending. */
  memorySizes(): readonly number[] {
    return [...new Set(this.memory)].sort((a, b) => a - b);
  }

  /** The seconds of computing of all stretches, ascending. */
  secondsOfWork(): readonly number[] {
    return [...new Set(this.seconds)].sort((a, b) => a - b);
  }

  /** The milliseconds of the functions of all stretches, ascending. */
  milliseconds(): readonly number[] {
    return [...new Set(this.ms)].sort((a, b) => a - b);
  }

  /**
   * Of the chains within the limits, one that moves the fewest bytes, and of these the one with the least sum of squares of
   * milliseconds; `undefined` if there is none.
   */
  fewestBytes({
    mostMemoryMb = Infinity,
    leastSeconds = 0,
    mostSeconds = Infinity,
    mostMs = Infinity,
  }: StretchLimits): Chain | undefined {
    const { from, to, length } = this;
    const row = length + 1;
    const size = this.table.boundaries.length * row;
    // By boundary, then by number of stretches before it.
    const moved = new Float64Array(size).fill(Infinity);
    const squares = new Float64Array(size);
    const before = new Int32Array(size);
    // By boundary: the fewest and the most stretches before it.
    const fewest = new Int32Array(this.table.boundaries.length).fill(length);
    const most = new Int32Array(this.table.boundaries.length).fill(-1);
    moved[0] = 0;
    fewest[0] = 0;
    most[0] = 0;
    for (let stretch = 0; stretch < from.length; stretch++) {
      const [ms, seconds] = [this.ms[stretch], this.seconds[stretch]];
      if (seconds < leastSeconds || seconds > mostSeconds) continue;
      if (ms > mostMs || this.memory[stretch] > mostMemoryMb) continue;
      const [first, next] = [from[stretch], to[stretch]];
      const [start, end] = [first * row, next * row + 1];
      const last = Math.min(length - 1, most[first]);
      if (fewest[first] > last) continue;
      fewest[next] = Math.min(fewest[next], fewest[first] + 1);
      most[next] = Math.max(most[next], last + 1);
      for (let count = fewest[first]; count <= last; count++) {
        const bytes = moved[start + count] + this.bytes[stretch];
        const square = squares[start + count] + ms * ms;
        const at = end + count;
        const isEvener = bytes === moved[at] && square < squares[at] * (1 - TIE);
        if (bytes < moved[at] || isEvener) {
          moved[at] = bytes;
          squares[at] = square;
          before[at] = first;
        }
      }
    }
    const last = this.table.boundaries.length - 1;
    const movedBytes = moved[last * row + length];
    if (movedBytes === Infinity) return undefined;
    const cuts: number[] = [];
    for (let [count, boundary] = [length, last]; count > 1; count--) {
      boundary = before[boundary * row + count];
      cuts.unshift(this.table.boundaries[boundary]);
    }
    return { cuts, movedBytes };
  }
}
