/** Sizes all stretches between candidate cuts and chooses among them by dynamic programming. */
import type { CutSpace } from '../cuts/cuts';
import { WeightTable } from '../../dataflow/weights';
import type { SliceSize } from '../sizes/estimate';
import type { Range } from './stretches';
import { sizeStretches } from './stretches';

/** A limit on the size of a slice. */
export interface SizeLimit {
  fits(size: SliceSize): boolean;
  /** Whether every longer stretch also exceeds the limit. A longer stretch may write fewer bytes, so `!fits` can change. */
  isHopeless(size: SliceSize): boolean;
  /** How an error describes the limit and a size that exceeds it. */
  describe(size: SliceSize): { readonly limit: string; readonly got: string; readonly advice: string };
}

export class StretchTable {
  private readonly boundaries: readonly number[];
  /** By first boundary: the size up to each later boundary; `undefined` if it exceeds the limit. */
  private readonly stretches: readonly (readonly (SliceSize | undefined)[])[];
  private tooLarge: { from: number; to: number; size: SliceSize } | undefined;

  /** Without a limit, every stretch fits. */
  constructor(space: CutSpace, cuts: readonly number[], { start, end }: Range, limit?: SizeLimit) {
    this.boundaries = [start, ...cuts, end];
    const weights = new WeightTable(space.dataflow, space.bytes);
    this.stretches = this.boundaries.slice(0, -1).map((from, index) => {
      const sizes: (SliceSize | undefined)[] = [];
      sizeStretches(space, weights, this.boundaries, index, (to, size) => {
        const fits = limit === undefined || limit.fits(size);
        sizes.push(fits ? size : undefined);
        if (!fits && to === index + 1) this.tooLarge ??= { from, to: this.boundaries[to], size };
        return fits || !limit.isHopeless(size);
      });
      return sizes;
    });
  }

  /** The first stretch between neighboring candidates that exceeds the limit. */
  firstTooLarge(): { from: number; to: number; size: SliceSize } {
    if (this.tooLarge === undefined) throw new Error('every stretch fits the limit');
    return this.tooLarge;
  }

  /**
   * The cuts into the fewest stretches that fit, and among those the cuts with the fewest bytes moved; `undefined` if no
   * cuts fit.
   */
  fewest(): readonly number[] | undefined {
    const best = this.boundaries.map(() => ({ count: Infinity, moved: Infinity, from: -1 }));
    best[0] = { count: 0, moved: 0, from: -1 };
    this.stretches.forEach((sizes, from) => {
      sizes.forEach((size, offset) => {
        if (size === undefined) return;
        const to = from + 1 + offset;
        const count = best[from].count + 1;
        const moved = best[from].moved + size.readBytes + size.writeBytes;
        if (count < best[to].count || (count === best[to].count && moved < best[to].moved)) {
          best[to] = { count, moved, from };
        }
      });
    });
    if (best[best.length - 1].count === Infinity) return undefined;
    const cuts: number[] = [];
    for (let at = best[best.length - 1].from; at > 0; at = best[at].from) cuts.unshift(this.boundaries[at]);
    return cuts;
  }

  /** The largest need among `count` stretches, when they are chosen to make it as small as possible. */
  smallestLargest(count: number, need: (size: SliceSize) => number): number {
    return this.search(count, need, Math.max, -Infinity).value;
  }

  /** The smallest need among `count` stretches that need at most `most`, when chosen to make it as large as possible. */
  largestSmallest(count: number, need: (size: SliceSize) => number, most: number): number {
    const shortfall = (size: SliceSize): number => (need(size) <= most ? -need(size) : Infinity);
    return -this.search(count, shortfall, Math.max, -Infinity).value;
  }

  /** The cuts into exactly `count` stretches that fit, with the fewest bytes moved and then the most even work. */
  fewestBytesMoved(count: number, fits: (size: SliceSize) => boolean): readonly number[] {
    const work = ({ weightBytes, computedBytes }: SliceSize): number => weightBytes + computedBytes;
    let largest = 1;
    for (const sizes of this.stretches) {
      for (const size of sizes) if (size !== undefined) largest = Math.max(largest, work(size));
    }
    const total = this.boundaries.length * largest;
    const { cuts } = this.search(
      count,
      // The squared shares add up to less than one byte, so they only decide between equal numbers of bytes moved.
      (size) => (fits(size) ? size.readBytes + size.writeBytes + (work(size) / total) ** 2 : Infinity),
      (sum, cost) => sum + cost,
      0,
    );
    return cuts;
  }

  /** Minimizes the combined cost of exactly `count` stretches; `initial` is the cost of zero stretches. */
  private search(
    count: number,
    cost: (size: SliceSize) => number,
    combine: (sum: number, cost: number) => number,
    initial: number,
  ): { value: number; cuts: readonly number[] } {
    const last = this.boundaries.length - 1;
    const costs = this.stretches.map((sizes) =>
      Float64Array.from(sizes, (size) => (size === undefined ? Infinity : cost(size))),
    );
    let reached = new Float64Array(last + 1).fill(Infinity);
    reached[0] = initial;
    const cameFrom: Int32Array[] = [];
    for (let step = 1; step <= count; step++) {
      const next = new Float64Array(last + 1).fill(Infinity);
      const from = new Int32Array(last + 1).fill(-1);
      for (let start = step - 1; start < last; start++) {
        if (reached[start] === Infinity) continue;
        costs[start].forEach((stretchCost, offset) => {
          const value = combine(reached[start], stretchCost);
          const to = start + 1 + offset;
          if (value >= next[to]) return;
          next[to] = value;
          from[to] = start;
        });
      }
      cameFrom.push(from);
      reached = next;
    }
    const cuts: number[] = [];
    for (let step = count - 1, at = cameFrom[step][last]; step > 0; step--, at = cameFrom[step][at]) {
      cuts.unshift(this.boundaries[at]);
    }
    return { value: reached[last], cuts };
  }
}
